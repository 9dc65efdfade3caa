// A batch that nobody can read keeps the forgetting from being complete, and nobody from being forgotten elsewhere.
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadRows, storeRows } from '../../src/catalog/table-rows.ts'
import { batchSortKey } from '../../src/catalog/layout.ts'
import type { Column } from '../../src/catalog/columns.ts'
import { writeParquet } from '../../src/catalog/parquet-rows.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import { ObjectStoreError } from '../../src/platform/errors.ts'
import { CatalogError } from '../../src/catalog/errors.ts'
import { decoding, unreadableReason } from '../../src/forget/unreadable.ts'
import { collect } from '../archive/factories.ts'
import { type ForgetWorld, forgetWorld, REASON } from './forget-world.ts'

const ID = '4711'
const COLUMNS = [
  { name: 'who', type: 'string' },
  { name: 'says', type: 'int64' },
] as const satisfies readonly Column[]
const good = { db: 'team', table: 'good', partition: 'day=1' }
const bad = { db: 'team', table: 'bad', partition: 'day=1' }

let world: ForgetWorld

beforeEach(async () => {
  world = forgetWorld()
  const rows = [
    { who: ID, says: 1 },
    { who: '12', says: 2 },
  ]
  for (const ref of [bad, good]) {
    const format = ref === bad ? 'ndjson.gz' : 'parquet'
    await world.catalog.createTable(ref, { columns: COLUMNS, format, owner: 'team' })
    await storeRows(world.catalog, ref, { rows, ...REASON })
  }
})

afterEach(() => world.remove())

/** What the table has besides, in a partition of its own; the place as a report has it. */
async function damage(format: string, body: Uint8Array): Promise<string> {
  const ref = { db: 'team', table: `odd_${format.slice(0, 3)}`, partition: 'day=1' }
  await world.catalog.createTable(ref, { columns: COLUMNS, format, owner: 'team' })
  const { batchId } = await world.catalog.store(ref, { parts: [{ body, rows: 1 }], ...REASON })
  return `team.${ref.table}/day=1, batch ${batchId}`
}

async function placeOfBad(): Promise<string> {
  return `team.bad/day=1, batch ${(await world.catalog.current(bad))?.batchId}`
}

/** Everything else is forgotten, and only this is left. */
async function expectLeft(where: string, reason: string): Promise<void> {
  expect((await world.forget({ userId: ID, isDryRun: true })).left).toMatchObject([{ where }])
  const report = await world.forget({ userId: ID })
  expect(report).toMatchObject({ isComplete: false, isFinal: false, left: [{ where }] })
  expect(report.left[0]?.why).toContain(reason)
  expect(await collect(loadRows(world.catalog, good))).toEqual([{ who: '12', says: 2 }])
  expect(JSON.stringify(report)).not.toContain(ID)
}

describe('a batch that cannot be read', () => {
  it('is left where a part is lost', async () => {
    const where = await placeOfBad()
    const key = [...world.objects.store.objects.keys()].find(name => /^team\/bad\/.*part-/.test(name)) ?? ''
    world.objects.store.objects.delete(key)
    await expectLeft(where, 'batch-damaged')
  })

  it('is left where a column has another type than its table says', async () => {
    const doubles = [COLUMNS[0], { name: 'says', type: 'double' }] as const
    await expectLeft(await damage('parquet', writeParquet(doubles, [{ who: ID, says: 1.5 }])), 'parquet-differs')
  })

  it('is left where only the rows that must be written anew cannot be', async () => {
    const doubles = [
      { name: 'user_id', type: 'string' },
      { name: 'says', type: 'double' },
    ] as const
    const ref = { db: 'team', table: 'owned', partition: 'day=1' }
    const columns = [doubles[0], COLUMNS[1]]
    await world.catalog.createTable(ref, { columns, format: 'parquet', owner: 'team' })
    const body = writeParquet(doubles, [{ user_id: ID, says: 1.5 }])
    const { batchId } = await world.catalog.store(ref, { parts: [{ body, rows: 1 }], ...REASON })
    const report = await world.forget({ userId: ID })
    expect(report.isComplete).toBe(false)
    expect(report.left).toMatchObject([
      { where: `team.owned/day=1, batch ${batchId}`, why: expect.stringContaining('parquet-differs') },
    ])
    expect(await collect(loadRows(world.catalog, good))).toEqual([{ who: '12', says: 2 }])
  })

  it.each(['csv.gz', 'ndjson.gz'])('is left where it is garbage instead of %s', async format => {
    await expectLeft(await damage(format, Buffer.from(`garbage of ${ID}`)), 'cannot be decoded')
  })

  it('is left where the pages of a Parquet file are garbage', async () => {
    const body = writeParquet(COLUMNS, [{ who: ID, says: 1 }])
    await expectLeft(await damage('parquet', body.fill(0xff, 4, 24)), 'cannot be decoded')
  })

  it('is left where JSON does not know what its manifest has', async () => {
    const where = await placeOfBad()
    const batchId = where.split(' ').at(-1) ?? ''
    const record = await world.catalog.batch(bad, batchId)
    const text = Buffer.from(world.objects.store.objects.get(record.manifestKey) ?? '').toString('utf8')
    const bytes = Buffer.from(text.replace('"inputs": []', '"inputs": [], "properties": { "loss": NaN }'))
    expect(bytes.byteLength).toBeGreaterThan(text.length)
    world.objects.store.objects.set(record.manifestKey, bytes)
    for (const [key, item] of world.store.items) {
      if (item.table !== 'team.bad' || item.sk !== batchSortKey('day=1', batchId)) continue
      world.store.items.set(key, { ...item, attributes: { ...item.attributes, manifestSha256: sha256Hex(bytes) } })
    }
    await expectLeft(where, 'manifest-invalid')
  })

  it('is left with its table where an item of it is of no known layout', async () => {
    const batchId = (await placeOfBad()).split(' ').at(-1) ?? ''
    for (const [key, item] of world.store.items) {
      if (item.table !== 'team.bad' || item.sk !== batchSortKey('day=1', batchId)) continue
      world.store.items.set(key, { ...item, attributes: { ...item.attributes, rows: 'many' } })
    }
    await expectLeft('team.bad', 'catalog-item-corrupt')
  })
})

describe('why something is left', () => {
  it('is a code and not what a decoder says, which may quote the bytes', async () => {
    const reasonOf = async (decode: () => Promise<unknown>): Promise<string | undefined> =>
      decoding(decode).then(
        () => 'decoded',
        (error: unknown) => unreadableReason(error),
      )
    expect(await reasonOf(async () => 7)).toBe('decoded')
    expect(await reasonOf(async () => JSON.parse(`x${ID}`))).toMatch(
      /^it cannot be decoded \(not of its format\): mend it/,
    )
    const known = new CatalogError(ID, { code: 'parquet-differs' })
    expect(await reasonOf(() => Promise.reject(known))).toMatch(/^it cannot be decoded \(parquet-differs\): mend it/)
    for (const code of ['log-contended', 'lease-lost', 'object-store-denied']) {
      expect(unreadableReason(new CatalogError('x', { code })), code).toBeUndefined()
    }
    expect(unreadableReason(new Error('killed'))).toBeUndefined()
  })
})

describe('an object of the archive that cannot be read', () => {
  it.each(['null', '[]', '1', '{"data":7}', '{"data":"x","partitionKey":[]}'])(
    'is left where a line of it is %s',
    async line => {
      const [first, last] = ['1', '2'].map(sequence => sequence.padStart(56, '0'))
      const key = `raw/shop@1/shardId-000000000000/2024030600/${first}-${last}.ndjson.gz`
      await world.archive.store.create(key, gzipSync(`${line}\n`))
      const report = await world.forget({ userId: ID })
      expect(report).toMatchObject({ isComplete: false, left: [{ where: key }] })
      expect(await collect(loadRows(world.catalog, good))).toEqual([{ who: '12', says: 2 }])
    },
  )
})

describe('a store that does not answer', () => {
  it('fails the run, and the next one ends it', async () => {
    const get = world.objects.store.get.bind(world.objects.store)
    const down = new ObjectStoreError('down', { code: 'object-store-unreachable', retriable: true, key: 'x' })
    world.objects.store.get = async key => {
      if (key.includes('/bad/')) throw down
      return get(key)
    }
    await expect(world.forget({ userId: ID })).rejects.toBe(down)
    world.objects.store.get = get
    expect(await world.forget({ userId: ID })).toMatchObject({ isComplete: true, isResumed: true, left: [] })
  })
})
