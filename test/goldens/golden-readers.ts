// Today's readers on a release's stored bytes, each to plain JSON: what must come out the same for ever. Together they read every
// stored object, which the test counts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listDeadLetters } from '../../src/archive/dead-letters.ts'
import { listDoubt } from '../../src/archive/doubt.ts'
import { readGivenUp } from '../../src/archive/given-up.ts'
import { openHistory } from '../../src/archive/open-history.ts'
import { type Catalog, catalog } from '../../src/catalog/catalog.ts'
import { loadRows } from '../../src/catalog/table-rows.ts'
import { isDeepStrictEqual } from 'node:util'
import { modelRegistry } from '../../src/model/registry.ts'
import type { Json } from '../../src/platform/canonical-json.ts'
import { sha256Hex, USER_BUCKETS } from '../../src/platform/hash.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { currentDefinitions } from '../../src/predictions/definitions-table.ts'
import { CORRUPT_PREFIX } from '../../src/replay/repair-keep.ts'
import { trainingTable } from '../../src/replay/training-set.ts'
import { SNAPSHOT_TABLE, snapshotPartition } from '../../src/snapshot/take-snapshot.ts'
import { decodeItem, isUnreadable, readBody } from '../../src/store/item-codec.ts'
import { isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import { collect, rawRecords } from '../archive/factories.ts'
import { readAll } from '../archive/history-world.ts'
import { type MemoryObjectStore, memoryObjectStore } from '../fakes/memory-object-store.ts'
import { type MemoryUserStore, memoryUserStore } from '../fakes/memory-user-store.ts'
import type { StoredWorld } from './golden-files.ts'
import { DB, SNAPSHOT_MS, STAGE, TRAINING_NAME } from './golden-names.ts'
import { catalogKey, memoryCatalogTable } from './memory-catalog-table.ts'

export interface OpenWorld {
  readonly archive: MemoryObjectStore
  readonly catalogBucket: MemoryObjectStore
  readonly catalog: Catalog
  readonly tables: readonly string[]
  readonly users: MemoryUserStore
  /** Keys that were fetched. */
  readonly read: Set<string>
}

export function openWorld(stored: StoredWorld): OpenWorld {
  const read = new Set<string>()
  const fault = ({ operation, key }: { readonly operation: string; readonly key: string }): void => {
    if (operation === 'get') read.add(key)
  }
  const [archive, catalogBucket] = [memoryObjectStore({ fault }), memoryObjectStore({ fault })]
  for (const [key, body] of stored.archive) archive.objects.set(key, body)
  for (const [key, body] of stored.catalogBucket) catalogBucket.objects.set(key, body)
  const users = memoryUserStore()
  for (const attributes of stored.userItems) users.plant(attributes)
  const store = memoryCatalogTable(new Map(stored.catalogItems.map(item => [catalogKey(item), item])))
  return {
    archive,
    catalogBucket,
    catalog: catalog({
      store,
      objects: catalogBucket,
      clock: () => SNAPSHOT_MS,
      random: seededRandom(1),
      sleep: async () => undefined,
    }),
    tables: [...new Set(stored.catalogItems.map(item => item['table']?.S ?? ''))],
    users,
    read,
  }
}

export const READERS: Readonly<Record<string, (world: OpenWorld) => Promise<unknown>>> = {
  users: async ({ users }) => users.items().map(item => (isCorrupt(item) ? item : plainItem(item))),
  'raw-objects': ({ archive }) => rawRecords(archive),
  'dead-letters': ({ archive }) => collect(listDeadLetters(archive, { isAll: true })),
  doubt: ({ archive }) => collect(listDoubt(archive)),
  'given-up': ({ archive }) => collect(readGivenUp(archive)),
  'kept-items': readKept,
  history: readHistory,
  'catalog-tables': readTables,
  snapshot: ({ catalog }) =>
    collect(loadRows(catalog, { db: DB, table: SNAPSHOT_TABLE, partition: snapshotPartition(SNAPSHOT_MS) })),
  'training-set': ({ catalog }) =>
    collect(loadRows(catalog, { db: DB, table: trainingTable(TRAINING_NAME), partition: 'all' })),
  model: readModel,
  definitions: async ({ catalog }) => await currentDefinitions(catalog, DB, STAGE),
}

/** As JSON: bigints and instants are what they are written as. */
export function asJson(value: unknown): Json {
  const plain = (_: string, member: unknown): unknown => (typeof member === 'bigint' ? `${member}n` : member)
  return JSON.parse(JSON.stringify(value, plain)) as Json
}

export function plainItem(stored: StoredItem): object {
  const decoded = decodeItem(stored)
  if (isUnreadable(decoded)) throw new Error(decoded.reason)
  const { types, marks, settledMs } = decoded.dedup
  const bodyOf = (name: 'ft' | 'pr'): unknown => {
    const body = readBody(stored, name)
    if (isUnreadable(body)) throw new Error(body.reason)
    return body.body
  }
  const { dedup: _d, st: _s, ft: _f, pr: _p, sum: _c, ...head } = stored
  return {
    ...head,
    dedup: { types: Object.fromEntries(types), marks: Object.fromEntries(marks), settledMs },
    state: decoded.state,
    features: bodyOf('ft'),
    predictions: bodyOf('pr'),
  }
}

async function readHistory({ archive, catalog }: OpenWorld): Promise<unknown> {
  const spoolDir = mkdtempSync(join(tmpdir(), 'millrace-goldens-'))
  try {
    const history = await openHistory({ archive, catalog, db: DB, spoolDir })
    const { inputs, imports, positions } = history
    const all = await readAll(history)
    await history.close()
    return { inputs, imports, positions: Object.fromEntries(positions), ...all, buckets: USER_BUCKETS }
  } finally {
    rmSync(spoolDir, { recursive: true })
  }
}

/** Every batch of every partition of every table, with its manifest; parts are loaded, and so checked. */
async function readTables({ catalog, tables }: OpenWorld): Promise<unknown> {
  const read: Record<string, unknown> = {}
  for (const name of tables) {
    const [db = '', table = ''] = name.split('.')
    const partitions: Record<string, unknown> = {}
    for (const { partition } of await catalog.partitions({ db, table })) {
      const ref = { db, table, partition }
      const history = await catalog.history(ref)
      const batches = await Promise.all(
        history.map(async ({ batchId }) => {
          const batch = await catalog.load(ref, batchId)
          const parts = await collect(batch.parts())
          const item = await catalog.batch(ref, batchId)
          return { item, manifest: batch.manifest, parts: parts.map(part => part.name) }
        }),
      )
      partitions[partition] = { history, batches }
    }
    read[name] = { schema: await catalog.schema({ db, table }), partitions }
  }
  return read
}

/** Nothing but people reads these: JSON, whose item is named by its hash. */
async function readKept({ archive }: OpenWorld): Promise<unknown> {
  const kept: unknown[] = []
  for await (const { key } of archive.list(CORRUPT_PREFIX)) {
    const text = Buffer.from((await archive.get(key)) ?? []).toString('utf8')
    const item = text.slice(text.indexOf('"item":') + '"item":'.length, text.lastIndexOf('}'))
    if (key !== `${CORRUPT_PREFIX}${sha256Hex(item)}.json`) throw new Error(`${key} is not what its name says`)
    kept.push(JSON.parse(text))
  }
  return kept
}

async function readModel({ catalog }: OpenWorld): Promise<unknown> {
  const current = await modelRegistry(catalog).currentArtifact('churn')
  if (current === undefined) throw new Error('There is no model')
  const { batchId, artifact } = current
  // What later formats fill in where it is not said is no part of what was stored.
  const { changes, files, outputs, ...manifest } = artifact.manifest
  const filled = { changes, files, kinds: outputs.map(({ kind }) => kind) }
  if (!isDeepStrictEqual(filled, { changes: [], files: {}, kinds: outputs.map(() => 'number') })) {
    throw new Error(`Fields of a later format are not as in 0.1: ${JSON.stringify(filled)}`)
  }
  const named = outputs.map(output => Object.fromEntries(Object.entries(output).filter(([name]) => name !== 'kind')))
  return { batchId, manifest: { ...manifest, outputs: named }, modelSha256: sha256Hex(artifact.model) }
}
