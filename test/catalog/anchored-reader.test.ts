// A reader that has anchored a batch reads the same bytes after ten overwrites, a rollback and runs of retention; on fakes, and on the real
// adapters over dynalite and fauxqs.
import { afterAll, expect, test } from 'vitest'
import { catalog, type Catalog } from '../../src/catalog/catalog.ts'
import { dynamodbCatalogStore } from '../../src/catalog/dynamodb-catalog-store.ts'
import type { PurgePorts } from '../../src/catalog/purge-batches.ts'
import { runRetention } from '../../src/catalog/run-retention.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { s3ObjectRemover } from '../../src/platform/s3-object-remover.ts'
import { s3ObjectStore } from '../../src/platform/s3-object-store.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import { startDynaliteCatalog } from '../fakes/dynalite-catalog.ts'
import { startFauxqsBucket } from '../fakes/fauxqs-bucket.ts'
import { DAY, PLAIN, REASON, START_MS, textParts, USERS } from './factories.ts'
import { newMaintenanceWorld } from './maintenance-world.ts'

const stops: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const stop of stops) await stop()
})

interface World {
  readonly catalog: Catalog
  readonly ports: PurgePorts
}

async function onFakes(): Promise<World> {
  const world = await newMaintenanceWorld()
  return { catalog: world.catalog, ports: world }
}

async function onEmulators(): Promise<World> {
  const [dynalite, fauxqs] = [await startDynaliteCatalog('catalog'), await startFauxqsBucket('tables')]
  stops.push(dynalite.stop, fauxqs.stop)
  let nowMs = START_MS
  const world = { clock: () => (nowMs += 1000), random: systemRandom, sleep: async () => undefined }
  const store = dynamodbCatalogStore(dynalite)
  const objects = s3ObjectStore({ ...fauxqs, ...world, isConditional: false })
  const own = catalog({ store, objects, ...world })
  await own.createTable(USERS, PLAIN)
  const ports = {
    store,
    objects,
    clock: world.clock,
    remover: s3ObjectRemover(fauxqs),
    writeReceipt: async () => undefined,
  }
  return { catalog: own, ports }
}

async function bytesOf(of: Catalog, choice?: { readonly anchor: string }): Promise<string> {
  const batch = await of.load(DAY, choice)
  const hashes = [sha256Hex(batch.manifestBytes)]
  for await (const { name, body } of batch.parts()) hashes.push(`${name} ${sha256Hex(body)}`)
  return hashes.join('\n')
}

test.each([
  ['fakes', onFakes],
  ['emulators', onEmulators],
])('ten overwrites, a rollback and retention leave an anchored batch as it was, on %s', async (_, open) => {
  const { catalog: own, ports } = await open()
  const store = async (text: string) =>
    (await own.store(DAY, { parts: textParts(text, `${text} again`), ...REASON })).batchId
  const retain = () =>
    runRetention(ports, USERS, {
      policy: { keepBatches: 1 },
      who: 'ops',
      why: 'storage',
      pinnedBy: [],
      isDryRun: false,
    })
  const anchored = await store('anchored')
  const before = await bytesOf(own)
  await own.anchor(DAY, { anchor: 'report', ...REASON })
  const overwrites: string[] = []
  for (let index = 0; index < 10; index++) {
    overwrites.push(await store(`overwrite ${index}`))
    expect(await bytesOf(own, { anchor: 'report' })).toBe(before)
  }
  const eighth = overwrites[7] ?? ''
  await own.rollback(DAY, { to: eighth, ...REASON })
  const { purged } = await retain()
  expect(purged.map(({ batchId }) => batchId).toSorted()).toEqual(overwrites.filter(id => id !== eighth).toSorted())
  expect(await bytesOf(own, { anchor: 'report' })).toBe(before)
  await expect(own.load(DAY, overwrites[0])).rejects.toMatchObject({ code: 'batch-purged' })
  expect((await own.load(DAY)).record.batchId).toBe(eighth)
  // Nothing but the anchor keeps it.
  await own.release(DAY, { anchor: 'report', ...REASON })
  expect((await retain()).purged.map(({ batchId }) => batchId)).toEqual([anchored])
  await expect(own.load(DAY, anchored)).rejects.toMatchObject({ code: 'batch-purged' })
})
