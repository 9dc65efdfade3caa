// What the mirror shows after each way to commit.
import { deepEqual, equal, ok } from 'node:assert/strict'
import type { LogEntry } from '../../src/catalog/items.ts'
import { functionMirror } from '../../src/compose/function-mirror.ts'
import { deployedStores } from '../../src/compose/stores.ts'
import { recordingTelemetry } from '../compose/recording.ts'
import { COLUMNS, NEXT_DAY, REASON, shows, store } from './glue-tables.ts'
import { type Case, DAY, type GlueWorld, listedParts } from './glue-world.ts'

const entries: LogEntry[] = []

async function moves(world: GlueWorld): Promise<string> {
  await world.connection.catalog.createTable(DAY, {
    columns: COLUMNS,
    format: 'parquet',
    owner: 'ana',
    about: 'Users\nof the shop.',
  })
  equal(await world.table(), undefined)
  entries.push(await store(world, DAY, 1))
  await shows(world, entries[0] as LogEntry)
  const table = await world.table()
  equal(table?.TableType, 'EXTERNAL_TABLE')
  equal(table.Description, 'Users of the shop.')
  deepEqual(table.PartitionKeys, [{ Name: 'day', Type: 'string' }])
  deepEqual(
    table.StorageDescriptor?.Columns?.map(({ Name, Type }) => `${Name} ${Type}`),
    [
      'user_id string',
      'visits30d bigint',
      'spendtotal double',
      'isgift boolean',
      'seen timestamp',
      'raw string',
      'tags array<string>',
      'scores map<string,double>',
    ],
  )
  const startMs = performance.now()
  entries.push(await store(world, DAY, 2))
  const ms = performance.now() - startMs
  await shows(world, entries[1] as LogEntry)
  return `a commit of 3 rows and its move took ${Math.round(ms)} ms`
}

async function rollsBack(world: GlueWorld): Promise<string> {
  const to = entries[0]?.batchId ?? ''
  const { exitCode } = await world.millrace('table', 'rollback', 'shop.users', DAY.partition, to)
  equal(exitCode, 0)
  const current = await world.connection.catalog.current(DAY)
  equal(current?.batchId, to)
  equal(current.number, 3)
  await shows(world, current)
  return 'by the command line'
}

async function promotes(world: GlueWorld): Promise<string> {
  const batchId = entries[1]?.batchId ?? ''
  const entry = await world.connection.catalog.promote(DAY, NEXT_DAY, { batchId, ...REASON })
  await shows(world, entry, DAY, NEXT_DAY)
  return ''
}

async function evolves(world: GlueWorld): Promise<string> {
  const columns = [...COLUMNS.slice(0, 4), { name: 'added', type: 'int64' } as const, ...COLUMNS.slice(5)]
  await world.connection.catalog.createTable(DAY, { columns, format: 'parquet', owner: 'ana', about: 'Users.' })
  await store(world, DAY, 3)
  const names = (await world.table())?.StorageDescriptor?.Columns?.map(({ Name }) => Name)
  deepEqual(
    names,
    columns.map(({ name }) => name.toLowerCase()),
  )
  // All of them: an engine refuses a partition whose columns are not its table's.
  for (const { StorageDescriptor } of await world.partitions()) {
    deepEqual(
      StorageDescriptor?.Columns?.map(({ Name }) => Name),
      names,
    )
  }
  return ''
}

async function settles(world: GlueWorld): Promise<string> {
  const committers = 8
  await Promise.all(Array.from({ length: committers }, (_, index) => store(world, DAY, index)))
  const current = await world.connection.catalog.current(DAY)
  ok(current)
  await shows(world, current)
  deepEqual(world.warnings, [])
  return `${committers} committers at once, log number ${current.number}`
}

async function namesPartitions(world: GlueWorld): Promise<string> {
  const { catalog } = world.connection
  const sales = { db: 'shop', table: 'sales', partition: 'year=2026/country=de' }
  const partitionKeys = ['year', 'country']
  await catalog.createTable(sales, { columns: COLUMNS, format: 'parquet', owner: 'ana', partitionKeys })
  await store(world, sales, 1)
  deepEqual(
    (await world.partitions('sales')).map(({ Values }) => Values),
    [['2026', 'de']],
  )
  const plain = { db: 'shop', table: 'plain', partition: 'all' }
  await catalog.createTable(plain, { columns: COLUMNS, format: 'parquet', owner: 'ana' })
  await store(world, plain, 1)
  deepEqual((await world.table('plain'))?.PartitionKeys, [{ Name: 'partition', Type: 'string' }])
  deepEqual(
    (await world.partitions('plain')).map(({ Values }) => Values),
    [['all']],
  )
  return 'keys declared, keys read off names, and none'
}

async function takesSnapshot(world: GlueWorld): Promise<string> {
  const { exitCode } = await world.millrace('snapshot', 'run', '--at', '2001-07-04T02:15:00Z')
  equal(exitCode, 0)
  const current = await world.connection.catalog.current({ ...DAY, partition: 'day=2001-07-04' })
  const partition = await world.partition('2001-07-04')
  equal(partition?.Parameters?.['millrace.batch-id'], current?.batchId)
  // Of nobody, so it has no part: an engine finds no row, and no error.
  deepEqual(await listedParts(world, partition), [])
  return ''
}

/** With the stores of a function, whose mirror is what its environment says. */
async function functionMoves(world: GlueWorld): Promise<string> {
  const { aws, connection, env } = world
  const before = process.env
  process.env = { ...before, ...env }
  try {
    const telemetry = recordingTelemetry()
    const observe = functionMirror({ telemetry })
    const { catalog } = deployedStores(aws.clients, connection.names, connection, { observe })
    const current = await connection.catalog.current(DAY)
    const other = (await connection.catalog.history(DAY)).find(({ batchId }) => batchId !== current?.batchId)
    const entry = await catalog.rollback(DAY, { to: other?.batchId ?? '', ...REASON })
    await shows(world, entry)
    deepEqual(telemetry.errors, [])
  } finally {
    process.env = before
  }
  return ''
}

export const COMMIT_CASES: readonly Case[] = [
  ['the location moves at a commit, and lists the parts of its batch', moves],
  ['the location moves back at a rollback', rollsBack],
  ['a promotion is mirrored where the parts are', promotes],
  ['columns that come and go reach the table and every partition', evolves],
  ['of committers at once the last one stays', settles],
  ['partitions are named by their keys, or by their name', namesPartitions],
  ['a snapshot moves it, too', takesSnapshot],
  ['so does a function, by its environment', functionMoves],
]
