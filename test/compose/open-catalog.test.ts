import { afterAll, beforeAll, expect, it } from 'vitest'
import { openCatalog, type OpenCatalog, type Row } from '../../src/compose/open-catalog.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { type LocalAws, startLocalAws } from '../fakes/local-aws.ts'

const USERS = { db: 'shop', table: 'users', partition: 'day=2026-06-30' }
const WHO = { who: 'ana', why: 'a test' }

let aws: LocalAws
let catalog: OpenCatalog

beforeAll(async () => {
  aws = await startLocalAws()
  const names = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })
  await aws.createCatalogTable(names.catalogTable)
  await aws.createBucket(names.catalogBucket)
  catalog = openCatalog({ pipeline: 'shop', stage: 'dev', env: aws.env })
})
afterAll(async () => {
  catalog.close()
  await aws.stop()
})

async function rows(batchId?: string): Promise<Row[]> {
  const all: Row[] = []
  for await (const row of catalog.loadRows(USERS, batchId)) all.push(row)
  return all
}

it('loads the current rows, those of a batch, and what a rollback made current, as docs/catalog.md shows', async () => {
  await catalog.createTable(USERS, { columns: [{ name: 'user_id', type: 'string' }], format: 'parquet', owner: 'ana' })
  const first = await storeRows(catalog, USERS, { rows: [{ user_id: 'ana' }], ...WHO })
  await storeRows(catalog, USERS, { rows: [{ user_id: 'ben' }], ...WHO })
  expect(await rows()).toEqual([{ user_id: 'ben' }])
  expect(await rows(first.batchId)).toEqual([{ user_id: 'ana' }])
  const [, before] = await catalog.history(USERS)
  expect(before?.batchId).toBe(first.batchId)
  await catalog.rollback(USERS, { to: first.batchId, ...WHO })
  expect(await rows()).toEqual([{ user_id: 'ana' }])
})

it('says what to set where neither a local cloud nor an account is named', () => {
  expect(() => openCatalog({ pipeline: 'shop', stage: 'dev', env: {} })).toThrow('AWS account')
})
