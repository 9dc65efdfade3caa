// The whole catalogue over the real adapters, as a smoke test of their fit: dynalite and fauxqs.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Catalog } from '../../src/catalog/catalog.ts'
import { dynamodbCatalogStore } from '../../src/catalog/dynamodb-catalog-store.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { s3ObjectStore } from '../../src/platform/s3-object-store.ts'
import { type DynaliteCatalog, startDynaliteCatalog } from '../fakes/dynalite-catalog.ts'
import { type FauxqsBucket, startFauxqsBucket } from '../fakes/fauxqs-bucket.ts'
import { catalogOver, DAY, PLAIN, REASON, textOf, textParts, USERS } from './factories.ts'

let dynalite: DynaliteCatalog
let fauxqs: FauxqsBucket
let catalog: Catalog
beforeAll(async () => {
  dynalite = await startDynaliteCatalog('catalog')
  fauxqs = await startFauxqsBucket('tables')
  const objects = s3ObjectStore({ ...fauxqs, isConditional: false, random: systemRandom, sleep: async () => undefined })
  catalog = catalogOver(dynamodbCatalogStore(dynalite), objects, systemRandom)
})
afterAll(() => Promise.all([dynalite.stop(), fauxqs.stop()]))

test('stores, lists, loads and rolls back', async () => {
  await catalog.createTable(USERS, PLAIN)
  const entries = await Promise.all(
    ['a', 'b', 'c'].map(text => catalog.store(DAY, { parts: textParts(text, `${text} again`), ...REASON })),
  )
  expect((await catalog.history(DAY)).map(entry => entry.number)).toEqual([3, 2, 1])
  const first = entries.findIndex(entry => entry.number === 1)
  const to = entries[first]?.batchId ?? ''
  expect(await catalog.rollback(DAY, { to, ...REASON })).toMatchObject({ number: 4, kind: 'rollback' })
  const text = 'abc'[first]
  expect(await textOf(await catalog.load(DAY))).toEqual([text, `${text} again`])
})
