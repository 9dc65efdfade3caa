// Tables of every column type, batches in them, and what Glue must have of a batch.
import { deepEqual, equal } from 'node:assert/strict'
import type { Row } from '../../src/catalog/columns.ts'
import type { LogEntry } from '../../src/catalog/items.ts'
import { mirrorName } from '../../src/catalog/mirror-plan.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { batchOf, DAY, type GlueWorld, listedParts, PREFIX, USERS } from './glue-world.ts'

export const REASON = { who: 'ana', why: 'a test' }
export const NEXT_DAY = { ...USERS, partition: 'day=2001-07-01' }
export const COLUMNS = [
  { name: 'user_id', type: 'string' },
  { name: 'visits30d', type: 'int64' },
  { name: 'spendTotal', type: 'double' },
  { name: 'isGift', type: 'boolean' },
  { name: 'seen', type: 'timestamp' },
  { name: 'raw', type: 'json' },
  { name: 'tags', type: 'list<string>' },
  { name: 'scores', type: 'map<string,double>' },
] as const

const row = (visits: number): Row => ({
  user_id: 'u1',
  visits30d: visits,
  spendTotal: 1.5,
  isGift: true,
  seen: Date.UTC(2001, 5, 30),
  raw: { a: 1 },
  tags: ['x', null],
  scores: { churn: 0.5 },
})

export async function store(
  { connection: { catalog } }: GlueWorld,
  ref: typeof DAY,
  visits: number,
): Promise<LogEntry> {
  const columns = (await catalog.schema(ref))?.columns ?? []
  const values = row(visits)
  const known = Object.fromEntries(columns.map(({ name }) => [name, values[name] ?? null]))
  return storeRows(catalog, ref, { rows: [known, known, known], ...REASON, partRowsMax: 2 })
}

/** That Glue has the entry, and that what it points to is the batch's parts and nothing else. */
export async function shows(
  world: GlueWorld,
  entry: LogEntry,
  home: typeof DAY = DAY,
  ref: typeof DAY = DAY,
): Promise<void> {
  const { name } = mirrorName({ databasePrefix: PREFIX }, ref)
  const found = await world.partition(ref.partition.replace('day=', ''), name)
  const batch = batchOf(home, entry.batchId)
  const bucket = world.connection.names.catalogBucket
  equal(found?.StorageDescriptor?.Location, `s3://${bucket}/glue.symlinks/${batch}`)
  const own = Object.entries(found.Parameters ?? {}).filter(([name]) => name.startsWith('millrace.'))
  deepEqual(Object.fromEntries(own), {
    'millrace.catalog': 'shop-dev-catalog',
    'millrace.batch-id': entry.batchId,
    'millrace.log-number': String(entry.number),
    'millrace.location': `s3://${bucket}/${batch}`,
  })
  const { parts } = (await world.connection.catalog.load(home, entry.batchId)).manifest
  deepEqual(
    await listedParts(world, found),
    parts.map(({ name }) => `s3://${bucket}/${batch}${name}`),
  )
}
