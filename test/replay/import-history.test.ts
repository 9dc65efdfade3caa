import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RECENT_IDS_MAX } from '../../src/affected/decide.ts'
import { bucketOfPart, IMPORTS_TABLE } from '../../src/archive/history-tables.ts'
import { linesOfPart } from '../../src/archive/line-parts.ts'
import { catalog } from '../../src/catalog/catalog.ts'
import type { UserState } from '../../src/features/state.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { checkImport, importHistory } from '../../src/replay/import-history.ts'
import { withdrawImport } from '../../src/replay/withdraw-import.ts'
import { decodeItem, isUnreadable } from '../../src/store/item-codec.ts'
import { isCorrupt } from '../../src/store/user-item.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { memoryUserStore } from '../fakes/memory-user-store.ts'
import { START } from '../features/factories.ts'
import { countingPredictor, harness, orderRecord, rawRecord, shop } from '../recompute/harness.ts'

const records = Array.from({ length: 700 }, (_, index) =>
  orderRecord(index, index + 1, { user: `user-${index % 5}`, ts: START + index * 600_000 }),
)
const payloads = records.map(record => Buffer.from(record.dataBase64, 'base64'))

let spoolDir: string
beforeAll(() => {
  spoolDir = mkdtempSync(join(tmpdir(), 'import-history-'))
})
afterAll(() => rmSync(spoolDir, { recursive: true }))

const ORDERS = { db: 'shop', table: IMPORTS_TABLE, partition: 'import=orders' }

function options() {
  const world = { clock: () => START + 700 * 600_000, random: seededRandom(5), sleep: async () => undefined }
  const objects = memoryObjectStore()
  return {
    ...world,
    objects,
    compiled: compilePipeline(shop),
    users: memoryUserStore(),
    predictor: countingPredictor([]),
    catalog: catalog({ store: memoryCatalogStore(), objects, ...world }),
    name: 'orders',
    spoolDir,
    who: 'test',
    why: 'history',
  }
}

async function linesIn(given: ReturnType<typeof options>): Promise<string[]> {
  const lines: Uint8Array[] = []
  for await (const part of (await given.catalog.load(ORDERS)).parts()) lines.push(...linesOfPart(part))
  return lines.map(line => Buffer.from(line).toString('utf8'))
}

/** Compressed into bytes of which one is a line break. */
function withLineBreak(bytes: Buffer): Buffer {
  for (let spaces = 0; ; spaces++) {
    const compressed = gzipSync(Buffer.concat([bytes, Buffer.alloc(spaces, ' ')]))
    if (compressed.includes(0x0a)) return compressed
  }
}

function stateOf(users: ReturnType<typeof memoryUserStore>): [string, UserState][] {
  return users.items().map(item => {
    if (isCorrupt(item)) throw new Error('corrupt')
    const decoded = decodeItem(item)
    if (isUnreadable(decoded)) throw new Error(decoded.reason)
    return [item.userId, decoded.state as UserState]
  })
}

describe('importHistory', () => {
  it('leaves the state that the same events leave when they are streamed, with one write a user', async () => {
    const given = options()
    const report = await importHistory(payloads, given)
    expect(report).toMatchObject({
      events: 700,
      users: 5,
      usersWritten: 5,
      folded: 700,
      duplicates: 0,
      usersExisting: 0,
      usersTooBig: 0,
    })
    expect(given.users.counters).toMatchObject({ puts: 5, loadCalls: 0, loadManyCalls: 0 })
    const streamed = harness()
    for (let from = 0; from < records.length; from += 50) await streamed.deliver(records.slice(from, from + 50))
    expect(stateOf(given.users)).toEqual(stateOf(streamed.users))
  })

  it('keeps every payload in one batch, which each item names', async () => {
    const given = options()
    const { batch } = await importHistory(payloads, given)
    const loaded = await given.catalog.load(ORDERS)
    expect(loaded.entry.batchId).toBe(batch.batchId)
    const lines: string[] = []
    for await (const part of loaded.parts()) {
      const ofPart = linesOfPart(part).map(line => Buffer.from(line).toString())
      for (const line of ofPart) {
        const { customer } = JSON.parse(line) as { readonly customer: { readonly id: string } }
        expect(userBucket(customer.id)).toBe(bucketOfPart(part.name))
      }
      lines.push(...ofPart)
    }
    expect(lines.sort()).toEqual(payloads.map(payload => payload.toString('utf8')).sort())
    expect(given.users.items().every(item => !isCorrupt(item) && item.imports[0] === batch.batchId)).toBe(true)
  })

  it('recognises imported events when they come again in the stream', async () => {
    const given = options()
    await importHistory(payloads, given)
    const live = harness({ users: given.users })
    const { counts } = await live.deliver([
      ...records.slice(-10),
      orderRecord('next', 9000, { user: 'user-1', ts: START + 700 * 600_000 }),
    ])
    expect(counts).toMatchObject({ duplicate: 10, folded: 1 })
  })

  it('counts what is refused or repeated, keeps it in the batch, and leaves known users alone', async () => {
    const given = options()
    const known = harness({ users: given.users })
    await known.deliver([orderRecord('before', 1, { user: 'user-0', ts: START })])
    const broken = Buffer.from(rawRecord('{"type":', 1).dataBase64, 'base64')
    const report = await importHistory([...payloads, broken, ...payloads.slice(-1)], given)
    expect(report).toMatchObject({
      events: 702,
      duplicates: 1,
      refused: { 'not-json': { count: 1, first: { where: 'event 701' } } },
      usersWritten: 4,
      usersExisting: 1,
    })
  })

  it('folds a burst at one instant whole, and refuses what has not happened yet', async () => {
    const given = options()
    const burst = Array.from({ length: 400 }, (_, id) =>
      orderRecord(`b${id}`, id + 1, { user: 'ana', ts: START - 1000 }),
    )
    const ahead = orderRecord('ahead', 999, { user: 'ana', ts: START + 75 * 365 * 86_400_000 })
    const report = await importHistory(
      [...burst, ahead].map(record => Buffer.from(record.dataBase64, 'base64')),
      given,
    )
    expect(report).toMatchObject({ folded: 400, refused: { future: { count: 1 } } })
  })

  it('keeps the name of the batch in an item that goes on in the stream', async () => {
    const given = options()
    const { batch } = await importHistory(payloads, given)
    await harness({ users: given.users }).deliver([
      orderRecord('next', 9000, { user: 'user-1', ts: START + 700 * 600_000 }),
    ])
    expect(await given.users.load('user-1')).toMatchObject({ v: 2, imports: [batch.batchId] })
  })

  it('writes every user of a long history, by one version of each model', async () => {
    const given = options()
    const runs: number[] = []
    let pins = 0
    const predictor = {
      ...countingPredictor([]),
      predict: async () => Promise.reject(new Error('not pinned')),
      pinned: async () => (pins++, countingPredictor(runs)),
    }
    const one = Array.from({ length: 1003 }, (_, id) => orderRecord(id, id + 1, { user: `user-${id}`, ts: START + id }))
    const report = await importHistory(
      one.map(record => Buffer.from(record.dataBase64, 'base64')),
      { ...given, predictor },
    )
    expect(report).toMatchObject({ users: 1003, usersWritten: 1003, usersExisting: 0 })
    expect(given.users.items()).toHaveLength(1003)
    expect(runs.reduce((sum, users) => sum + users, 0)).toBe(1003)
    expect(pins).toBe(1)
  })

  it('keeps an event that was written over several lines in one line, compressed or not', async () => {
    const given = options()
    const events = payloads.slice(0, 6).map(payload => JSON.parse(payload.toString('utf8')) as unknown)
    const spread = events.map((event, index) => {
      const bytes = Buffer.from(JSON.stringify(event, null, 2).replaceAll('\n', '\r\n'))
      return index < 3 ? bytes : withLineBreak(bytes)
    })
    expect(await importHistory(spread, given)).toMatchObject({ folded: 6, refused: {} })
    expect(new Set((await linesIn(given)).map(line => JSON.parse(line) as unknown))).toEqual(new Set(events))
  })

  it('keeps of what is refused nothing that would be something else as a line', async () => {
    const given = options()
    const [payload = Buffer.of()] = payloads
    const inText = Buffer.from(payload.toString('utf8').replace('order.placed', 'order.\nplaced'))
    const report = await importHistory([payload, inText, Buffer.from('{"no": 1}'), Buffer.alloc(2 ** 20 + 1)], given)
    expect(report).toMatchObject({ refused: { 'not-json': { count: 1 }, 'unknown-type': { count: 1 }, 'too-big': {} } })
    expect((await linesIn(given)).sort()).toEqual([payload.toString('utf8'), '{"no": 1}'].sort())
  })

  it('tells how far it is at every ten thousandth event', async () => {
    const told: number[] = []
    const onProgress = ({ events }: { readonly events: number }) => void told.push(events)
    const refused = Array.from({ length: 20_001 }, () => Buffer.from('{'))
    await checkImport([...refused, ...payloads], { ...options(), onProgress })
    expect(told).toEqual([10_000, 20_000])
  })

  it('finds a put again whose answer was lost', async () => {
    const given = options()
    const twice = memoryUserStore()
    given.users.put = async (item, expected) => {
      await twice.put(item, expected)
      return twice.put(item, expected)
    }
    expect(await importHistory(payloads, given)).toMatchObject({ usersWritten: 5, usersExisting: 0 })
  })

  it('folds events in the order of their times, whatever the order they come in', async () => {
    const [given, reversed] = [options(), options()]
    await importHistory(payloads, given)
    expect(await importHistory(payloads.toReversed(), reversed)).toMatchObject({ folded: 700, duplicates: 0 })
    const inOrder = (users: typeof given.users) => stateOf(users).sort(([a], [b]) => (a < b ? -1 : 1))
    expect(inOrder(reversed.users)).toEqual(inOrder(given.users))
    expect(readdirSync(spoolDir)).toEqual([])
  })

  it('under a name that was used before is a new batch, which supersedes the one before', async () => {
    const given = options()
    const { batch, supersedes } = await importHistory(payloads.slice(0, 5), given)
    expect(supersedes).toBeUndefined()
    const again = await importHistory(payloads, given)
    expect(again).toMatchObject({ supersedes: batch.batchId, usersExisting: 5, usersWritten: 0 })
    const other = await importHistory(payloads, { ...given, name: 'visits' })
    expect(other.supersedes).toBeUndefined()
    const partitions = await given.catalog.partitions(ORDERS)
    expect(partitions.map(({ partition, entry }) => [partition, entry.batchId])).toEqual([
      ['import=orders', again.batch.batchId],
      ['import=visits', other.batch.batchId],
    ])
  })

  it('supersedes nothing where the one before was withdrawn', async () => {
    const given = options()
    const { batch } = await importHistory(payloads.slice(0, 5), given)
    const reason = { db: 'shop', name: 'orders', who: 'test', why: 'wrong file' }
    expect(await withdrawImport(given.catalog, reason)).toMatchObject({ withdrawn: batch.batchId })
    await expect(withdrawImport(given.catalog, reason)).rejects.toMatchObject({ code: 'import-not-found' })
    expect((await checkImport(payloads, given)).supersedes).toBeUndefined()
  })

  it('stores nothing where nothing was accepted: that would withdraw what is in force', async () => {
    const given = { ...options(), where: () => 'orders.csv, row 1' }
    await expect(importHistory([], given)).rejects.toMatchObject({ code: 'import-empty' })
    const broken = importHistory([Buffer.from('{'), Buffer.from('[')], given)
    await expect(broken).rejects.toThrow('All 2 events were refused: 2 not-json, first orders.csv, row 1: ')
    await expect(checkImport([], given)).rejects.toThrow('There is no event to import')
    expect(given.objects.calls.create).toBe(0)
    expect(readdirSync(spoolDir)).toEqual([])
  })

  it('says beforehand what would be refused and superseded, and writes nothing', async () => {
    const given = options()
    const { batch } = await importHistory(payloads.slice(0, 5), given)
    const puts = given.users.counters.puts
    expect(await checkImport([...payloads, Buffer.from('{')], given)).toMatchObject({
      partition: 'import=orders',
      supersedes: batch.batchId,
      events: 701,
      refused: { 'not-json': { count: 1 } },
    })
    expect(given.users.counters.puts).toBe(puts)
    expect(await given.catalog.history(ORDERS)).toHaveLength(1)
  })

  it('keeps no more ids than a live item, although the history ends in repeats', async () => {
    const given = options()
    const burst = Array.from({ length: 320 }, (_, id) =>
      orderRecord(`b${id}`, id + 1, { user: 'ana', ts: START - 1000 }),
    )
    const history = [...burst, ...burst.slice(0, 10)].map(record => Buffer.from(record.dataBase64, 'base64'))
    expect(await importHistory(history, given)).toMatchObject({ folded: 320, duplicates: 10, usersWritten: 1 })
    const [item] = given.users.items()
    if (item === undefined || isCorrupt(item)) throw new Error('no item')
    const decoded = decodeItem(item)
    if (isUnreadable(decoded)) throw new Error(decoded.reason)
    expect(decoded.dedup.types.get('order.placed')?.ids).toHaveLength(RECENT_IDS_MAX)
  })
})
