// `users forget` as a person calls it, on the local cloud's DynamoDB, S3 and Kinesis.
import { join } from 'node:path'
import { ScanCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { forgetsRef } from '../../src/forget/forget-receipt.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { snapshotPartition, takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { hasAnywhere } from '../forget/find-bytes.ts'
import { countingPredictor, rawRecord } from '../recompute/harness.ts'
import { call, jsonOf, openShop, SHOP_NAMES, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', events: [visit], features: features({ ever: count(visit) }), models: [] })
`
const NOW = Date.now()
const ERIN = 'erin.7f3a'
const REASON = { who: 'ana', why: 'test' }
const OTHERS = ['--no-user-in', 'shop, person']

let shop: Shop
let anchored = ''
const partition = snapshotPartition(NOW)
const snapshots = { db: 'shop', table: 'users', partition }

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['users', 'archive', 'stream'] })
  const { connection } = shop
  const compiled = compilePipeline(await loadPipeline(shop.folder))
  const predictor = countingPredictor([])
  const records = [ERIN, 'bob', ERIN, 'carl', ERIN].map((user, index) => {
    const data = JSON.stringify({ type: 'visit', id: index, user, at: new Date(NOW - DAY_MS).toISOString() })
    return rawRecord(data, index + 1, user, NOW)
  })
  const fail = () => Promise.reject(new Error('set aside'))
  const aside = { writeDeadLetters: fail, writeDoubt: fail }
  await recomputeBatch(records, { ...connection, compiled, predictor, aside, remainingMs: () => 60_000 })
  await archiveBatch(records, connection.archive)
  const deps = { ...connection, compiled, predictor }
  await takeSnapshot(deps, { instantMs: NOW, ...REASON })
  anchored = (await connection.catalog.anchor(snapshots, { anchor: 'report', ...REASON })).batchId
  await takeSnapshot(deps, { instantMs: NOW, ...REASON })
  const others = { db: 'team', table: 'others', partition: 'all' }
  await connection.catalog.createTable(others, {
    columns: [{ name: 'who', type: 'string' }],
    format: 'csv.gz',
    owner: 'team',
  })
  await storeRows(connection.catalog, others, { rows: [{ who: 'bob' }], ...REASON })
})

afterAll(() => shop.close())

/** So much later than it is. */
const millrace = (laterMs: number, ...words: string[]) =>
  call(words, { cwd: shop.folder, env: { ...shop.aws.env, USER: 'ana' }, clock: () => Date.now() + laterMs })

/** Keys of objects and items that have the user. */
async function found(): Promise<readonly string[]> {
  const keys: string[] = []
  for (const objects of [shop.connection.archive, shop.connection.catalogStores.objects]) {
    for await (const { key } of objects.list('')) {
      const body = (await objects.get(key)) ?? new Uint8Array()
      if (key.includes(ERIN) || (await hasAnywhere(body, ERIN))) keys.push(key)
    }
  }
  for (const TableName of [SHOP_NAMES.usersTable, SHOP_NAMES.catalogTable]) {
    const { Items = [] } = await shop.aws.clients.dynamodb.send(new ScanCommand({ TableName }))
    for (const item of Items) if (JSON.stringify(item).includes(ERIN)) keys.push(JSON.stringify(item))
  }
  return keys
}

describe('users forget', () => {
  it('says what would go, and refuses what is no id', async () => {
    expect((await found()).length).toBe(4)
    const dry = await millrace(0, 'users', 'forget', ERIN, '--dry-run')
    expect(dry).toMatchObject({ exitCode: 0, stderr: expect.any(String) })
    expect(dry.stdout).toContain('raw: 3 would go, of 1 of 1')
    expect((await found()).length).toBe(4)
    expect(await millrace(0, 'users', 'forget', 'a/b')).toMatchObject({ exitCode: 2 })
  })

  it('is refused while somebody else is at it', async () => {
    const ref = forgetsRef({ pipeline: 'shop', stage: 'dev' })
    const lease = await shop.connection.takeLease(ref, ref.partition, { who: 'bob', what: 'users forget' })
    expect(jsonOf(await millrace(0, 'users', 'forget', ERIN, '--json'))).toMatchObject({
      exitCode: 1,
      json: { error: { code: 'lease-held' } },
    })
    await lease.release()
  })

  it('removes the user from every bucket and table, and leaves a receipt', async () => {
    const { exitCode, json } = jsonOf(await millrace(0, 'users', 'forget', ERIN, '--why', 'ticket 17', '--json'))
    expect({ exitCode, left: json.left }).toEqual({ exitCode: 0, left: [] })
    expect(json).toMatchObject({ isComplete: true, isFinal: false, item: 'none' })
    expect(await found()).toEqual([])
    const ref = forgetsRef({ pipeline: 'shop', stage: 'dev' })
    const [entry] = await shop.connection.catalog.history(ref)
    expect(entry).toMatchObject({ who: 'ana', why: 'one user forgotten, complete: ticket 17', batchId: json.receipt })
    const { record } = await shop.connection.catalog.load(snapshots, { anchor: 'report' })
    expect(record.inputs[0]?.batchId).toBe(anchored)
    expect(record.rows).toBe(2)
    expect((await shop.connection.catalog.load(snapshots)).record.batchId).not.toBe(record.batchId)
    const gone = await millrace(0, 'table', 'load', 'shop.users', partition, '--batch', anchored, '--json')
    expect(jsonOf(gone)).toMatchObject({ exitCode: 1, json: { error: { code: 'batch-purged' } } })
    expect(jsonOf(gone).json.error.message).toContain('forget: ticket 17')
    expect(jsonOf(gone).json.error.next).toContain(`its successor ${record.batchId}`)
  })

  it('lets a reader by an anchor see that it moved', async () => {
    const load = (...words: string[]) => millrace(0, 'table', 'load', 'shop.users', partition, ...words)
    const byAnchor = ['--anchor', 'report'] as const
    for (const words of [byAnchor, [...byAnchor, '--checksum'], [...byAnchor, '--out', join(shop.folder, 'out')]]) {
      expect(jsonOf(await load(...words, '--json')).json, words.join(' ')).toMatchObject({ successorOf: anchored })
    }
    const shown = await load(...byAnchor, '--format', 'csv')
    expect(shown.stderr).toContain(`in the place of ${anchored}`)
    expect(shown.stdout).not.toContain(anchored)
    const receipts = await millrace(0, 'table', 'load', 'team.others', 'all', '--json')
    expect(jsonOf(receipts).json).not.toHaveProperty('successorOf')
  })

  it('says what is left, in the receipt too, and ends with 1', async () => {
    const { catalog } = shop.connection
    const scores = { db: 'team', table: 'scores', partition: `person=${ERIN}` }
    const columns = [{ name: 'score', type: 'double' }] as const
    await catalog.createTable(scores, { columns, format: 'csv.gz', owner: 'team' })
    await storeRows(catalog, scores, { rows: [], ...REASON })
    const garbage = { ...scores, partition: 'all' }
    const { batchId } = await catalog.store(garbage, { parts: [{ body: Buffer.from('garbage'), rows: 1 }], ...REASON })
    const { exitCode, stdout, stderr } = await millrace(0, 'users', 'forget', ERIN, '--why', 'ticket 17')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('2 things are left')
    expect(stdout).toContain('left: team.scores/person=<user>: ')
    expect(stdout).toContain(`left: team.scores/all, batch ${batchId}: it cannot be decoded`)
    expect(stdout).toContain('Not complete')
    const ref = forgetsRef({ pipeline: 'shop', stage: 'dev' })
    const [entry] = await catalog.history(ref)
    expect(entry?.why).toBe('one user forgotten, incomplete: ticket 17')
    const lines: string[] = []
    for await (const { body } of (await catalog.load(ref)).parts()) lines.push(Buffer.from(body).toString('utf8'))
    expect(lines.join('')).toContain(`{"kind":"left","where":"team.scores/person=<user>"`)
    expect(lines.join('')).not.toContain(ERIN)
    await storeRows(catalog, garbage, { rows: [], ...REASON })
    const retained = await millrace(2 * DAY_MS, 'table', 'retain', 'team.scores', '--keep', '1')
    expect(retained).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(batchId) })
    expect((await millrace(0, 'users', 'forget', ERIN, ...OTHERS)).exitCode).toBe(0)
  })

  it('leaves verify content', async () => {
    const { exitCode, stdout } = await millrace(0, 'verify', '--all', '--json')
    expect({ exitCode, counts: JSON.parse(stdout).counts }).toMatchObject({
      exitCode: 0,
      counts: { users: 2, matched: 2, missing: 0, extra: 0 },
    })
  })

  it('is final after the retention of the stream, and not before', async () => {
    const early = jsonOf(await millrace(0, 'users', 'forget', ERIN, '--final', '--json', ...OTHERS))
    expect(early).toMatchObject({ exitCode: 1, json: { error: { code: 'forget-not-final' } } })
    const late = await millrace(8 * DAY_MS, 'users', 'forget', ERIN, '--final', ...OTHERS)
    expect(late.exitCode).toBe(0)
    expect(late.stdout).toContain('Final: nothing came back')
  })
})
