// 'millrace/catalog' as a program uses it, on the local cloud's DynamoDB and S3.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { valuesChecksum } from '../../src/catalog/values-checksum.ts'
import { type Column, type LoadFrom, openCatalog, type OpenCatalog, type Row } from '../../src/compose/open-catalog.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import { type LocalAws, startLocalAws } from '../fakes/local-aws.ts'

const USERS = { db: 'shop', table: 'users' }
const JUNE_30 = { ...USERS, partition: 'day=2026-06-30' }
const WHO = { who: 'ana', why: 'a test' }

let aws: LocalAws
let catalog: OpenCatalog

beforeAll(async () => {
  aws = await startLocalAws()
  const names = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })
  await aws.createCatalog(names)
  catalog = openCatalog({ pipeline: 'shop', env: aws.env })
})
afterAll(async () => {
  catalog.close()
  await aws.stop()
})

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

describe('a table by day', () => {
  interface User {
    readonly user_id: string
    readonly orders30d: number | null
  }
  const loadUsers = (from: Omit<LoadFrom, 'db' | 'table'> = {}) => collect(catalog.load<User>({ ...USERS, ...from }))
  const ids = (users: readonly User[]): string[] => users.map(user => user.user_id)
  const user = (user_id: string) => ({ user_id, orders30d: null })
  let first: string
  let betweenMs: number

  beforeAll(async () => {
    const columns: Column[] = [
      { name: 'user_id', type: 'string' },
      { name: 'orders30d', type: 'int64' },
    ]
    await catalog.createTable(USERS, { columns, format: 'parquet', owner: 'ana' })
    first = (await catalog.store([user('ana')], { ...USERS, partitions: ['day=2026-06-29'], ...WHO })).batchId
    const entry = await catalog.store([user('ben')], { ...USERS, partitions: ['day=2026-06-30'], ...WHO })
    betweenMs = entry.at
    await new Promise(resolve => setTimeout(resolve, 5))
    await catalog.store([{ user_id: 'cem', orders30d: 3 }, user('dan')], { ...JUNE_30, ...WHO })
    await catalog.store([user('eve')], { ...USERS, partitions: ['day=2026-06-29'], ...WHO })
  })

  it('is read at its last day where none is named, though an earlier one was stored later', async () => {
    expect(await loadUsers()).toEqual([{ user_id: 'cem', orders30d: 3 }, user('dan')])
    expect(ids(await loadUsers({ partitions: ['day=2026-06-29'] }))).toEqual(['eve'])
    expect(ids(await loadUsers({ partition: 'day=2026-06-29' }))).toEqual(['eve'])
  })

  it('is read as it was: at an instant, by batch, and by anchor', async () => {
    expect(ids(await loadUsers({ asOf: new Date(betweenMs) }))).toEqual(['ben'])
    expect(ids(await loadUsers({ asOf: new Date(betweenMs).toISOString() }))).toEqual(['ben'])
    expect(ids(await loadUsers({ batchId: first }))).toEqual(['ana'])
    const day = { ...USERS, partition: 'day=2026-06-29' }
    await catalog.anchor(day, { anchor: 'report', batchId: first, ...WHO })
    expect(ids(await loadUsers({ anchor: 'report' }))).toEqual(['ana'])
    for (const asOf of ['2026-06-30', '2026-06-31T00:00:00Z', '2026-06-30T24:00:00Z'])
      await expect(loadUsers({ asOf })).rejects.toMatchObject({ code: 'instant-invalid' })
    await expect(loadUsers({ asOf: new Date(0) })).rejects.toMatchObject({ code: 'partition-empty' })
    await expect(loadUsers({ anchor: 'nobody' })).rejects.toMatchObject({ code: 'anchor-not-found' })
    await expect(loadUsers({ anchor: 'report', batchId: first })).rejects.toMatchObject({ code: 'choice-ambiguous' })
  })

  it('gives columns, only those that are asked for', async () => {
    const [part] = await collect(catalog.loadColumns<User>({ ...USERS, columns: ['orders30d'] }))
    expect(part).toEqual({ rows: 2, columns: { orders30d: [3, null] } })
    const wrong = collect(catalog.loadColumns({ ...USERS, columns: ['orders'] }))
    await expect(wrong).rejects.toMatchObject({ code: 'column-not-found', next: 'It has user_id, orders30d.' })
  })

  it('says what is missing', async () => {
    await expect(catalog.store([], { ...USERS, ...WHO })).rejects.toMatchObject({ code: 'partition-invalid' })
    const nobody = { db: 'shop', table: 'nobody' }
    await expect(collect(catalog.load(nobody))).rejects.toMatchObject({ code: 'table-not-found' })
    const both = { ...JUNE_30, partitions: ['day=2026-06-30'] }
    await expect(collect(catalog.load(both))).rejects.toMatchObject({ code: 'partition-invalid' })
  })

  it('is rolled back, as docs/catalog.md shows', async () => {
    const [, before] = await catalog.history(JUNE_30)
    await catalog.rollback(JUNE_30, { to: before?.batchId ?? '', ...WHO })
    expect(ids(await loadUsers())).toEqual(['ben'])
    expect(await collect(catalog.loadRows(JUNE_30))).toEqual([user('ben')])
  })
})

it('stores into a partition of several keys by their values', async () => {
  const sales = { db: 'shop', table: 'sales' }
  const columns: Column[] = [{ name: 'n', type: 'int64' }]
  await catalog.createTable(sales, { columns, format: 'csv.gz', owner: 'ana', partitionKeys: ['year', 'country'] })
  await catalog.store([{ n: 1 }], { ...sales, partitions: { country: 'de', year: 2026 }, ...WHO })
  expect(await collect(catalog.load({ ...sales, partitions: [2026, 'de'] }))).toEqual([{ n: 1 }])
  expect((await catalog.partitions(sales)).map(({ partition }) => partition)).toEqual(['year=2026/country=de'])
  const wrong = catalog.store([], { ...sales, partitions: ['2026'], ...WHO })
  await expect(wrong).rejects.toMatchObject({ code: 'partition-invalid' })
})

describe('a snapshot in TypeScript and in SQL', () => {
  const SNAPSHOT = { db: 'shop', table: 'snapshot', partition: 'day=2026-06-30' }
  const COLUMNS: Column[] = [
    { name: 'user_id', type: 'string' },
    { name: 'as_of', type: 'timestamp' },
    { name: 'version', type: 'int64' },
    { name: 'spend90d', type: 'double' },
    { name: 'isMember', type: 'boolean' },
    { name: 'recent', type: 'list<int64>' },
    { name: 'shares', type: 'map<string,double>' },
    { name: 'predictions', type: 'json' },
  ]
  const rows: Row[] = Array.from({ length: 2_500 }, (_, n) => ({
    user_id: n === 7 ? 'tab\there "ü" \\N\n' : `user-${n}`,
    as_of: n % 11 === 0 ? null : Date.UTC(2026, 5, 30) + n,
    version: n % 5 === 0 ? 2n ** 60n + BigInt(n) : n,
    spend90d: n % 3 === 0 ? null : n / 7,
    isMember: n % 2 === 0,
    recent: n % 13 === 0 ? [] : [n, null, 2n ** 61n],
    shares: { web: n / 10, app: null },
    predictions: { churn: { value: n / 3, status: 'ok' }, tags: ['a', null] },
  }))
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parts-'))
    await catalog.createTable(SNAPSHOT, { columns: COLUMNS, format: 'parquet', owner: 'shop' })
    await storeRows(catalog.batches, SNAPSHOT, { rows, partRowsMax: 1_000, ...WHO })
    for await (const { name, body } of (await catalog.batches.load(SNAPSHOT)).parts())
      writeFileSync(join(folder, name), body)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('has the same rows and the same checksum of values', async () => {
    const duckdb = await DuckDBInstance.create(':memory:')
    const connection = await duckdb.connect()
    const sql = `select * replace (epoch_ms(as_of) as as_of) from read_parquet('${folder}/*.parquet')`
    const found = (await connection.runAndReadAll(sql)).getRowObjectsJson()
    connection.closeSync()
    duckdb.closeSync()
    const fromSql = found.map(row => asRow(row as Record<string, unknown>)).toReversed()
    expect(await collect(catalog.load(SNAPSHOT))).toEqual(rows)
    expect(fromSql.toReversed()).toEqual(rows)
    const checksum = await catalog.checksum(SNAPSHOT)
    expect(await valuesChecksum(COLUMNS, fromSql)).toBe(checksum)
    expect(await valuesChecksum(COLUMNS, [...rows.slice(1), { ...rows[0], isMember: false }])).not.toBe(checksum)
  })

  /** DuckDB's rows as JSON: 64 bits as text, maps as entries. */
  function asRow({ as_of, version, recent, shares, predictions, ...row }: Record<string, unknown>): Row {
    const integer = (text: unknown) => (Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text as string))
    const entries = shares as readonly { readonly key: string; readonly value: number | null }[]
    return {
      ...(row as Row),
      as_of: as_of === null ? null : integer(as_of),
      version: integer(version),
      recent: (recent as readonly (string | null)[]).map(text => (text === null ? null : integer(text))),
      shares: Object.fromEntries(entries.map(({ key, value }) => [key, value])),
      predictions: JSON.parse(predictions as string),
    }
  }
})

it('says what to set where neither a local cloud nor an account is named', () => {
  expect(() => openCatalog({ pipeline: 'shop', env: {} })).toThrow('AWS account')
})

it('stores several partitions at one instant, and once, however often it is called', async () => {
  const ref = { db: 'shop', table: 'delays' }
  await catalog.createTable(ref, { columns: [{ name: 'minutes', type: 'int64' }], format: 'parquet', owner: 'ana' })
  const store = () =>
    catalog.storeAll(
      ref,
      [2025, 2026].map(year => ({ partition: `year=${year}`, rows: [{ minutes: year }] })),
      { ...WHO, idempotencyKey: 'delays, export 17' },
    )
  const stored = await store()
  expect(await store()).toEqual(stored)
  expect(new Set(stored.map(({ entry }) => entry.at)).size).toBe(1)
  for (const { partition, entry } of stored) {
    expect(await catalog.history({ ...ref, partition })).toEqual([entry])
    expect(await collect(catalog.load({ ...ref, partition }))).toEqual([{ minutes: Number(partition.slice(-4)) }])
  }
})
