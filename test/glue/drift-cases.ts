// How the mirror comes to differ from the catalogue, and that `table sync` says so and ends it.
import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import {
  BatchCreatePartitionCommand,
  BatchDeletePartitionCommand,
  CreatePartitionCommand,
  CreateTableCommand,
  UpdatePartitionCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { syncMirror } from '../../src/catalog/sync-mirror.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { byCodePoint } from '../../src/platform/canonical-json.ts'
import { catalogOver } from '../catalog/factories.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { COLUMNS, REASON, shows, store } from './glue-tables.ts'
import { type Case, DAY, type GlueWorld, MIRROR } from './glue-world.ts'

const PARTITIONS = 250
const STRAYS = 30

async function repairs(world: GlueWorld): Promise<string> {
  const { glue } = world
  const right = await world.partition()
  const descriptor = right?.StorageDescriptor
  // An older place, as somebody would set it who takes Glue for the truth; and a log number that no log has.
  const [current, older] = await world.connection.catalog.history(DAY)
  const Location = descriptor?.Location?.replace(current?.batchId ?? '', older?.batchId ?? '')
  notEqual(Location, descriptor?.Location)
  const Parameters = { ...right?.Parameters, 'millrace.log-number': '999', 'added-by': 'a crawler' }
  const byHand = { Values: ['2001-06-30'], StorageDescriptor: { ...descriptor, Location }, Parameters }
  await glue.send(new UpdatePartitionCommand({ ...MIRROR, PartitionValueList: ['2001-06-30'], PartitionInput: byHand }))
  await glue.send(new BatchDeletePartitionCommand({ ...MIRROR, PartitionsToDelete: [{ Values: ['2001-07-01'] }] }))
  await glue.send(
    new CreatePartitionCommand({ ...MIRROR, PartitionInput: { ...byHand, Values: ['1999-01-01'], Parameters: {} } }),
  )

  const dry = await world.millrace('table', 'sync', 'shop.users', '--dry-run')
  const drift = dry.json.tables[0]?.drift ?? []
  deepEqual(
    drift.map(({ partition, kind, differences }) => [partition, kind, differences.map(({ field }) => field)]),
    [
      ['day=2001-06-30', 'differs', ['location', 'millrace.log-number']],
      ['day=2001-07-01', 'missing', []],
      ['day=1999-01-01', 'extra', []],
    ],
  )
  equal(dry.exitCode, 1)
  match(dry.stderr, /mirror-differs/)
  equal((await world.partition())?.Parameters?.['millrace.log-number'], '999')

  const synced = await world.millrace('table', 'sync', 'shop.users')
  equal(synced.exitCode, 0)
  deepEqual(synced.json.tables[0]?.drift, drift)
  deepEqual(synced.json.tables[0]?.left, [])
  equal((await world.partition())?.StorageDescriptor?.Location, descriptor?.Location)
  equal((await world.partition())?.Parameters?.['added-by'], 'a crawler')
  equal(await world.partition('1999-01-01'), undefined)
  ok(await world.partition('2001-07-01'))
  const again = await world.millrace('table', 'sync', 'shop.users')
  deepEqual([again.exitCode, again.json.tables[0]?.drift], [0, []])
  return `${drift.length} differences made by hand, all reported and repaired`
}

async function repairsTheTable(world: GlueWorld): Promise<string> {
  const table = await world.table()
  const { StorageDescriptor, PartitionKeys, Parameters } = table ?? {}
  const Columns = StorageDescriptor?.Columns?.slice(1) ?? []
  const TableInput = { Name: 'users', StorageDescriptor: { ...StorageDescriptor, Columns }, PartitionKeys, Parameters }
  await world.glue.send(new UpdateTableCommand({ DatabaseName: MIRROR.DatabaseName, TableInput }))
  const { exitCode, json } = await world.millrace('table', 'sync', 'shop.users')
  equal(exitCode, 0)
  deepEqual(
    json.tables[0]?.drift.map(({ partition, differences }) => [partition, differences.map(({ field }) => field)]),
    [[null, ['columns']]],
  )
  deepEqual((await world.table())?.StorageDescriptor?.Columns, StorageDescriptor?.Columns)
  return ''
}

async function outlives(world: GlueWorld): Promise<string> {
  await world.stopGlue()
  const entry = await store(world, DAY, 7)
  equal((await world.connection.catalog.current(DAY))?.batchId, entry.batchId)
  equal(world.warnings.length, 1)
  await world.startGlueAnew()
  equal(await world.table(), undefined)
  const { exitCode, json } = await world.millrace('table', 'sync', 'shop.users')
  equal(exitCode, 0)
  equal(json.tables[0]?.drift.length, 4)
  await shows(world, entry)
  return 'a commit while Glue was away, then everything made anew from nothing'
}

async function leavesForeign(world: GlueWorld): Promise<string> {
  const other = { db: 'shop', table: 'other-users', partition: 'day=2001-06-30' }
  const TableInput = { Name: 'other_users', Parameters: { owner: 'somebody' } }
  await world.glue.send(new CreateTableCommand({ DatabaseName: MIRROR.DatabaseName, TableInput }))
  await world.connection.catalog.createTable(other, { columns: COLUMNS, format: 'parquet', owner: 'ana' })
  await store(world, other, 1)
  match(String(world.warnings.at(-1)), /other_users of the mirror is of somebody else/)
  deepEqual((await world.table('other_users'))?.Parameters, { owner: 'somebody' })
  const { exitCode, stderr } = await world.millrace('table', 'sync', 'shop.other-users')
  equal(exitCode, 1)
  match(stderr, /mirror-name-taken/)
  return ''
}

async function makesAnew(world: GlueWorld): Promise<string> {
  const odd = { db: 'shop', table: 'users', partition: 'staging' }
  const before = world.warnings.length
  await store(world, odd, 1)
  match(String(world.warnings.slice(before)), /has other partition keys in the mirror/)
  const { exitCode } = await world.millrace('table', 'sync', 'shop.users')
  equal(exitCode, 0)
  deepEqual((await world.table())?.PartitionKeys, [{ Name: 'partition', Type: 'string' }])
  deepEqual((await world.partitions()).map(({ Values }) => Values?.[0] ?? '').sort(byCodePoint), [
    'day=2001-06-30',
    'day=2001-07-01',
    'day=2001-07-04',
    'staging',
  ])
  return 'one partition that no key names'
}

async function syncsAll(world: GlueWorld): Promise<string> {
  const { catalog } = world.connection
  const notes = { db: 'shop', table: 'notes', partition: 'all' }
  await catalog.createTable(notes, { columns: [], format: 'json', owner: 'ana' })
  await catalog.store(notes, { parts: [{ body: new TextEncoder().encode('{}'), rows: 1 }], ...REASON })
  const { exitCode, json } = await world.millrace('table', 'sync')
  equal(exitCode, 1)
  ok(json.skipped.includes('shop.notes'))
  deepEqual(
    json.failed.map(({ code }) => code),
    ['mirror-name-taken'],
  )
  deepEqual(json.tables.map(({ table }) => table).sort(byCodePoint), ['shop.plain', 'shop.sales', 'shop.users'])
  return 'one table that is not Parquet, one whose name is taken'
}

/** More than Glue takes in one call; the catalogue is in memory, for speed. */
async function batches(world: GlueWorld): Promise<string> {
  const { mirror } = await world.connection.openMirror()
  const [catalogItems, objects] = [memoryCatalogStore(), memoryObjectStore()]
  const options = { databasePrefix: 'shop_dev__', catalogName: 'in-memory', bucket: 'b' }
  const ports = { store: catalogItems, objects, mirror, options }
  const hours = { db: 'shop', table: 'hours' }
  const catalog = catalogOver(catalogItems, objects)
  await catalog.createTable(hours, { columns: COLUMNS.slice(0, 1), format: 'parquet', owner: 'ana' })
  for (let hour = 0; hour < PARTITIONS; hour++) {
    await storeRows(catalog, { ...hours, partition: `hour=${hour}` }, { rows: [{ user_id: 'u1' }], ...REASON })
  }
  const startMs = performance.now()
  const report = await syncMirror(ports, hours)
  const ms = performance.now() - startMs
  deepEqual([report?.drift.length, report?.left], [PARTITIONS + 1, []])
  const made = await world.partitions('hours')
  equal(made.length, PARTITIONS)
  const PartitionInputList = made.slice(0, STRAYS).map(({ StorageDescriptor }, index) => ({
    Values: [`stray-${index}`],
    StorageDescriptor,
  }))
  const target = { DatabaseName: MIRROR.DatabaseName, TableName: 'hours' }
  await world.glue.send(new BatchCreatePartitionCommand({ ...target, PartitionInputList }))
  equal((await syncMirror(ports, hours))?.drift.length, STRAYS)
  equal((await world.partitions('hours')).length, PARTITIONS)
  return `${PARTITIONS} partitions from nothing in ${Math.round(ms)} ms`
}

export const DRIFT_CASES: readonly Case[] = [
  ['drift of partitions made by hand is reported and repaired', repairs],
  ['drift of the table itself too', repairsTheTable],
  ['a commit outlives Glue, and sync brings the mirror back', outlives],
  ['a table of somebody else is left alone', leavesForeign],
  ['other partition keys are for sync to make', makesAnew],
  ['sync without a table looks at all', syncsAll],
  ['many partitions go in batches', batches],
]
