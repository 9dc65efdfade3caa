// The commands that keep the catalogue in order, as a person calls them, on the local cloud's DynamoDB and S3.
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Catalog } from '../../src/catalog/catalog.ts'
import { loadRows, storeRows } from '../../src/catalog/table-rows.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { call, jsonOf, openShop, type Shop, SHOP_NAMES } from './shop-world.ts'

const SOURCE = `
import { count, event, features, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', events: [visit], features: features({ a: count(visit) }), models: [] })
`
const REF = { db: 'shop', table: 'users', partition: 'day=2001-06-30' }
const WHERE = ['shop.users', REF.partition]
const OTHER = { ...REF, partition: 'day=2001-07-01' }

let shop: Shop
let catalog: Catalog
let ids: string[] = []
beforeAll(async () => {
  shop = await openShop({ source: SOURCE })
  catalog = shop.connection.catalog
  const columns = [{ name: 'user_id', type: 'string' } as const, { name: 'visits', type: 'int64' } as const]
  await catalog.createTable(REF, { columns, format: 'parquet', owner: 'ana' })
  for (const visits of [1, 2, 3, 4]) ids.push(await store(REF, visits))
  await store(OTHER, 9)
})
afterAll(() => shop.close())

async function store(ref: typeof REF, visits: number): Promise<string> {
  const rows = ['u1', 'u2', `u${visits + 2}`].map((id, index) => ({ user_id: id, visits: index === 0 ? visits : 1 }))
  return (await storeRows(catalog, ref, { rows, who: 'ana', why: `visits ${visits}` })).batchId
}

const idOf = (index: number): string => ids[index] ?? ''
const millrace = (...words: string[]) => shop.millrace(...words)
const millraceJson = async (...words: string[]) => jsonOf(await millrace(...words, '--json'))

it('anchors a batch, shows who relies on what, and releases it', async () => {
  const words = ['table', 'anchor', ...WHERE, 'report', '--batch', idOf(0)]
  expect((await millrace(...words, '--dry-run')).stdout).toContain(`Would anchor ${idOf(0)} (3 rows)`)
  expect((await millrace('table', 'anchor', ...WHERE)).stdout).toContain('Nobody anchors')
  expect((await millraceJson(...words, '--why', 'june')).json).toMatchObject({ anchor: 'report', batchId: idOf(0) })
  expect((await millrace('table', 'anchor', ...WHERE)).stdout).toMatch(new RegExp(`report +${idOf(0)} .* ana +june`))
  expect(await millraceJson('table', 'anchor', ...WHERE, 'report')).toMatchObject({
    exitCode: 1,
    json: { error: { code: 'anchor-taken' } },
  })
  await millrace('table', 'anchor', ...WHERE, 'short')
  expect((await millrace('table', 'release', ...WHERE, 'short', '--dry-run')).stdout).toContain('would no longer')
  expect((await millraceJson('table', 'release', ...WHERE, 'short')).json).toMatchObject({ batchId: idOf(3) })
  expect((await millraceJson('table', 'release', ...WHERE, 'short')).json.error.code).toBe('anchor-not-found')
})

it('shows what two batches differ in, of one partition or of two', async () => {
  const { stdout } = await millrace('table', 'diff', ...WHERE)
  expect(stdout).toContain(`from ${idOf(2)}`)
  expect(stdout).toContain('Rows by user_id: 1 added, 1 removed, 1 changed, 1 the same')
  expect(stdout).toContain('Changed rows by column: visits 1')
  expect(stdout).toContain('"u1"  visits 3 → 4')
  expect(stdout).toMatch(/visits +from +3 +0 +1\.66667/)
  const { json } = await millraceJson('table', 'diff', ...WHERE, OTHER.partition, '--from', 'report', '--examples', '0')
  expect(json).toMatchObject({
    from: { batchId: idOf(0) },
    to: { partition: OTHER.partition },
    rows: { added: 1, removed: 1, changed: 1, same: 1 },
    examples: { changed: [] },
    distributions: [{ name: 'visits', from: { kind: 'number', count: 3 } }],
  })
  expect((await millraceJson('table', 'diff', ...WHERE, '--key', 'nothing')).json.error.code).toBe('diff-key-unknown')
  expect((await millraceJson('table', 'diff', 'shop.users', OTHER.partition)).json.error.code).toBe('batch-not-found')
})

it('verifies what is current, everything, or one batch, and ends with 1 where something differs', async () => {
  const { stdout: read } = await millrace('table', 'verify', 'shop.users', '--rows')
  expect(read).toContain('2 batches of shop.users: 2 parts, 6 rows')
  expect(read).not.toContain('bytes and hashes only')
  expect((await millrace('table', 'verify', 'shop.users')).stdout).toContain(
    'Nothing differs\nLooked at bytes and hashes only: --rows reads every value as well\n',
  )
  const all = { looked: 'bytes', batches: 5, wrong: 0 }
  expect((await millraceJson('table', 'verify', 'shop.users', '--all')).json).toMatchObject(all)
  const key = `shop/users/${REF.partition}/${idOf(1)}/part-00000.parquet`
  await shop.aws.clients.s3.send(
    new PutObjectCommand({ Bucket: SHOP_NAMES.catalogBucket, Key: key, Body: Buffer.from('torn') }),
  )
  const { exitCode, stdout, stderr } = await millrace('table', 'verify', ...WHERE, '--batch', idOf(1))
  expect(exitCode).toBe(1)
  expect(stdout).toContain('part-00000.parquet: bytes 4 instead of')
  expect(stderr).toContain('(batch-damaged)')
  expect((await millrace('table', 'verify', ...WHERE, '--anchor', 'report')).exitCode).toBe(0)
  expect((await millraceJson('table', 'verify', 'shop.users', '--batch', idOf(1))).exitCode).toBe(2)
})

it('lets old batches go by a policy, with a receipt', async () => {
  expect((await millraceJson('table', 'retain', 'shop.users')).json.error.code).toBe('retention-unset')
  expect((await millrace('table', 'retain', 'shop.users', '--save')).exitCode).toBe(2)
  const saved = await millrace('table', 'retain', 'shop.users', '--keep', '1', '--save', '--why', 'costs')
  expect(saved.stdout).toContain('shop.users keeps the newest 1 of each partition, instead of all batches')
  const planned = await millrace('table', 'retain', 'shop.users', '--dry-run')
  expect(planned.stdout).toContain('2 batches would lose their bytes: 4 objects')
  expect((await catalog.batch(REF, idOf(2))).state).toBe('hot')
  const { json } = await millraceJson('table', 'retain', 'shop.users', '--why', 'storage')
  expect(json.kept).toEqual({ anchored: 1, current: 2 })
  const purged = new Set(json.purged.map((each: { batchId: string }) => each.batchId))
  expect(purged).toEqual(new Set([idOf(1), idOf(2)]))
  const receipt = await catalog.load({ db: 'removals', table: 'shop', partition: 'dev.batches' }, json.receipts[0])
  const lines: string[] = []
  for await (const { body } of receipt.parts()) lines.push(...Buffer.from(body).toString().trim().split('\n'))
  expect(lines).toHaveLength(4)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    bucket: SHOP_NAMES.catalogBucket,
    key: expect.stringMatching(new RegExp(`${idOf(1)}|${idOf(2)}`)),
  })
  expect(await millraceJson('table', 'load', ...WHERE, '--batch', idOf(1))).toMatchObject({
    exitCode: 1,
    json: { error: { code: 'batch-purged', message: expect.stringContaining('ana: storage') } },
  })
  expect((await millraceJson('table', 'rollback', ...WHERE, idOf(1))).json.error.code).toBe('batch-purged')
  const anchored: unknown[] = []
  for await (const row of loadRows(catalog, REF, idOf(0))) anchored.push(row)
  expect(anchored).toHaveLength(3)
  expect((await millraceJson('table', 'retain', 'removals.shop', '--keep', '1')).json.error.code).toBe(
    'retention-refused',
  )
})

it('shows orphans, and removes them with --delete only', async () => {
  const orphan = `shop/users/${REF.partition}/20010101000000-aaaaaaaa/part-00000.parquet`
  await shop.aws.clients.s3.send(
    new PutObjectCommand({ Bucket: SHOP_NAMES.catalogBucket, Key: orphan, Body: Buffer.from('half') }),
  )
  expect((await millrace('table', 'sweep', 'shop.users')).stdout).toContain('0 orphans, 1 within the grace')
  expect((await millrace('table', 'sweep', 'shop.users', '--grace', '5m')).exitCode).toBe(2)
  const inTwoDays = { cwd: shop.folder, env: { ...shop.aws.env, USER: 'ana' }, clock: () => Date.now() + 2 * DAY_MS }
  const sweep = async (...words: string[]) => call(['table', 'sweep', ...words], inTwoDays)
  expect((await sweep()).stdout).toContain('To remove them: --delete')
  expect(jsonOf(await sweep('--delete', '--dry-run', '--json')).json).toMatchObject({ isDeleting: false, receipts: [] })
  const { stdout } = await sweep('--delete')
  expect(stdout).toContain('1 batches were removed: 1 objects, 4 bytes')
  expect(stdout).toMatch(/What was removed: batch \S+ of removals.shop\/dev.batches/)
  expect((await sweep('shop.users')).stdout).toContain('0 orphans, 0 within the grace')
  expect((await millraceJson('table', 'verify', 'shop.users')).json).toMatchObject({ batches: 2, wrong: 0 })
})

it('says who changed what, of a table or of all', async () => {
  const { json } = await millraceJson('table', 'audit', 'shop.users')
  const kinds = json.entries.map((entry: { kind: string }) => entry.kind)
  expect(kinds).toEqual([
    ...Array(5).fill('commit'),
    'anchor',
    'anchor',
    'release',
    'retention',
    'purge',
    'purge',
    'purge',
  ])
  const since = new Date(json.entries.at(-2).at).toISOString()
  expect((await millraceJson('table', 'audit', 'shop.users', '--since', since)).json.entries).toHaveLength(2)
  const all = await millrace('table', 'audit', '--limit', '3')
  expect(all.stdout).toContain('removals.shop/dev.batches')
  expect(all.stdout).toMatch(/The last 3 of \d+: --limit/)
  expect((await millraceJson('table', 'audit', 'shop.none')).json.error.code).toBe('table-not-found')
  expect((await millrace('table', 'audit', '--since', 'yesterday')).exitCode).toBe(2)
})

it('finds by --rows alone what has its bytes and cannot be read', async () => {
  const odd = { db: 'shop', table: 'odd', partition: 'all' }
  await catalog.createTable(odd, { columns: [{ name: 'n', type: 'int64' }], format: 'csv.gz', owner: 'ana' })
  const parts = [{ body: Buffer.from('garbag'), rows: 7 }]
  await catalog.store(odd, { parts, who: 'ana', why: 'a wrong export' })
  expect(await millrace('table', 'verify', 'shop.odd')).toMatchObject({ exitCode: 0 })
  const { exitCode, stdout, stderr } = await millrace('table', 'verify', 'shop.odd', '--rows')
  expect(exitCode).toBe(1)
  expect(stdout).toContain('part-00000.csv.gz cannot be read: It is no whole gzip')
  expect(stderr).toContain('store them again')
})
