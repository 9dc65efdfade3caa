// What 'millrace/catalog' has beside reading and writing, as a program uses it, on the local cloud's DynamoDB and S3.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { catalogUpkeep } from '../../src/compose/catalog-upkeep.ts'
import { connect, type Connection } from '../../src/compose/connect.ts'
import { type LoadFrom, openCatalog, type OpenCatalog } from '../../src/compose/open-catalog.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import { type LocalAws, startLocalAws } from '../fakes/local-aws.ts'

const USERS: LoadFrom = { db: 'shop', table: 'people', partition: 'day=2026-06-30' }
const DAY = { db: 'shop', table: 'people', partition: 'day=2026-06-30' }
const WHO = { who: 'ana', why: 'a test' }
const NOBODY = { db: 'shop', table: 'nobody' }

let aws: LocalAws
let catalog: OpenCatalog
let connection: Connection
let first: string
let second: string

beforeAll(async () => {
  aws = await startLocalAws()
  const names = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })
  await aws.createCatalog(names)
  catalog = openCatalog({ pipeline: 'shop', env: aws.env })
  connection = connect({ pipeline: 'shop', stage: 'dev', env: aws.env })
  const columns = [
    { name: 'user_id', type: 'string' },
    { name: 'n', type: 'double' },
  ] as const
  await catalog.createTable(DAY, { columns, format: 'parquet', owner: 'ana' })
  const store = async (...rows: readonly (readonly [string, number])[]): Promise<string> =>
    (
      await catalog.store(
        rows.map(([user_id, n]) => ({ user_id, n })),
        { ...DAY, ...WHO },
      )
    ).batchId
  first = await store(['ana', 1], ['ben', 0], ['cem', 3])
  second = await store(['ana', 2], ['ben', -0], ['dan', 3])
})
afterAll(async () => {
  catalog.close()
  connection.close()
  await aws.stop()
})

describe('audit', () => {
  it('says who changed what, of a table, of all, and of a time', async () => {
    const all = await catalog.audit(DAY)
    expect(all).toMatchObject([
      { kind: 'commit', batchId: first, table: 'shop.people', about: '1', ...WHO },
      { kind: 'commit', batchId: second, about: '2' },
    ])
    expect(await catalog.audit()).toEqual(all)
    const [, last] = all
    expect(await catalog.audit(DAY, { until: new Date((all[0]?.at ?? 0) - 1) })).toEqual([])
    expect(await catalog.audit(DAY, { since: new Date(last?.at ?? 0).toISOString() })).toContainEqual(last)
    await expect(catalog.audit(NOBODY)).rejects.toMatchObject({ code: 'table-not-found' })
    await expect(catalog.audit(DAY, { since: 'yesterday' })).rejects.toMatchObject({ code: 'instant-invalid' })
  })
})

describe('diff', () => {
  it('counts rows by their key, and tells minus zero from zero as the checksum does', async () => {
    const diff = await catalog.diff({ ...USERS, batchId: first }, USERS)
    expect(diff).toMatchObject({
      table: 'shop.people',
      from: { partition: DAY.partition, batchId: first, rows: 3 },
      to: { batchId: second, rows: 3 },
      keys: ['user_id'],
      rows: { added: 1, removed: 1, changed: 2, same: 0 },
      changedIn: { n: 2 },
    })
    expect(diff.examples.changed).toContainEqual({ key: '"ben"', columns: [{ name: 'n', from: '0', to: '-0' }] })
    expect(diff.distributions.map(({ name, from, to }) => [name, from.count, to.count])).toEqual([['n', 3, 3]])
    const same = await catalog.diff(USERS, USERS, { keys: ['user_id', 'n'], examplesMax: 0 })
    expect(same).toMatchObject({ keys: ['user_id', 'n'], rows: { added: 0, removed: 0, changed: 0, same: 3 } })
    await expect(catalog.diff(USERS, USERS, { keys: ['age'] })).rejects.toMatchObject({ code: 'diff-key-unknown' })
    await expect(catalog.diff(USERS, NOBODY)).rejects.toMatchObject({ code: 'table-not-found' })
  })
})

describe('verify and sweep', () => {
  const orphan = 'shop/people/day=2026-06-30/20260101000000-00000000/part-00000.parquet'

  it('says that nothing is wrong, of bytes and of rows, and what is', async () => {
    expect(await catalog.verify(USERS)).toMatchObject({ batchId: second, rows: 3, looked: 'bytes', differences: [] })
    const rows = await catalog.verify({ ...USERS, batchId: first }, { isReadingRows: true })
    expect(rows).toMatchObject({ batchId: first, rows: 3, looked: 'rows', differences: [] })
    const { record, manifest } = await catalog.batches.load(DAY, first)
    await connection.catalogStores.remover.remove(`${record.location}${manifest.parts[0]?.name}`)
    const { differences } = await catalog.verify({ ...USERS, batchId: first })
    expect(differences).toMatchObject([{ of: 'part-00000.parquet', what: 'gone' }])
    await expect(catalog.verify(NOBODY)).rejects.toMatchObject({ code: 'table-not-found' })
  })

  it('finds nothing young, and refuses a grace in which a writer may be at work', async () => {
    await connection.catalogStores.objects.create(orphan, new Uint8Array(3), { contentType: 'text/plain' })
    expect(await catalog.sweep(DAY, { ...WHO, isDeleting: true })).toMatchObject({
      orphans: [],
      young: 1,
      removed: [],
      receipts: [],
    })
    expect(await connection.catalogStores.objects.get(orphan)).toBeDefined()
    for (const graceMs of [0, -1, Number.NaN, 3_599_999])
      await expect(catalog.sweep(DAY, { ...WHO, graceMs })).rejects.toMatchObject({ code: 'grace-too-short' })
    await expect(catalog.sweep(NOBODY, WHO)).rejects.toMatchObject({ code: 'table-not-found' })
    await expect(catalog.sweep(DAY, { who: 'ana', why: '' })).rejects.toMatchObject({ code: 'reason-invalid' })
  })

  it('removes what is old only when it is told to, and says so in a receipt', async () => {
    // Objects have the age that the cloud gives them, so it is the clock that goes on.
    const later = { ...connection, clock: () => Date.now() + 25 * 3_600_000 }
    const upkeep = catalogUpkeep(later, { pipeline: 'shop', stage: 'dev' })
    const found = await upkeep.sweep(DAY, WHO)
    expect(found).toMatchObject({ orphans: [{ kind: 'no-item', objects: 1, bytes: 3 }], removed: [], receipts: [] })
    expect(await connection.catalogStores.objects.get(orphan)).toBeDefined()
    const swept = await upkeep.sweep(DAY, { ...WHO, isDeleting: true })
    expect(swept).toMatchObject({ removed: [{ batchId: '20260101000000-00000000', objects: 1 }] })
    expect(await connection.catalogStores.objects.get(orphan)).toBeUndefined()
    const receipts = await catalog.history({ db: 'removals', table: 'shop', partition: 'dev.batches' })
    expect(receipts.map(({ batchId }) => batchId)).toEqual(swept.receipts)
    expect(receipts).toHaveLength(1)
  })
})
