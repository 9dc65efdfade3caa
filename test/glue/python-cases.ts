// Commits of the Python client: Glue then has what TypeScript would have put there, and `table sync` finds nothing to do.
import { deepEqual, equal, match } from 'node:assert/strict'
import {
  CreatePartitionCommand,
  CreateTableCommand,
  DeleteTableCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { mirrorName } from '../../src/catalog/mirror-plan.ts'
import type { TableRef } from '../../src/catalog/names.ts'
import { byCodePoint } from '../../src/platform/canonical-json.ts'
import { REASON, shows, store } from './glue-tables.ts'
import { type Case, type GlueWorld, MIRROR, PREFIX } from './glue-world.ts'
import { imageOf, type PythonCommit, type PythonCommitter, removeLists } from './python-commits.ts'

const TABLE = { db: 'shop', table: 'of-python' }
const DAY = { ...TABLE, partition: 'day=2001-06-30' }
const NEXT_DAY = { ...TABLE, partition: 'day=2001-07-01' }
/** What `table sync` reports of a table that was not moved: the batch, its number and its two places. */
const MOVED = ['location', 'millrace.batch-id', 'millrace.location', 'millrace.log-number']

const stored = (visits: number, { partition, ...table } = DAY): PythonCommit => ({
  ...table,
  partitions: [partition],
  visits,
})

/** That this batch is current, that Glue has it, and that TypeScript finds no difference in the whole table. */
async function agrees(world: GlueWorld, batchId: string | undefined, ref = DAY): Promise<void> {
  const current = await world.connection.catalog.current(ref)
  equal(current?.batchId, batchId)
  if (current !== undefined) await shows(world, current, ref, ref)
  deepEqual(await driftOf(world, ref), [])
}

async function driftOf(
  world: GlueWorld,
  { db, table }: TableRef,
): Promise<readonly [string | null, string, string[]][]> {
  const { json } = await world.millrace('table', 'sync', `${db}.${table}`, '--dry-run')
  return (json.tables[0]?.drift ?? []).map(each => [
    each.partition,
    each.kind,
    each.differences.map(({ field }) => field).sort(byCodePoint),
  ])
}

/** Everything of the table is made once more by TypeScript, and must come to the same bytes. */
async function isMadeAlike(world: GlueWorld, ref: TableRef): Promise<void> {
  const ofPython = await imageOf(world, ref)
  const { database, name } = mirrorName({ databasePrefix: PREFIX }, ref)
  await world.glue.send(new DeleteTableCommand({ DatabaseName: database, Name: name }))
  await removeLists(world, ref)
  equal((await driftOf(world, ref))[0]?.[1], 'missing')
  equal((await world.millrace('table', 'sync', `${ref.db}.${ref.table}`)).exitCode, 0)
  deepEqual(await imageOf(world, ref), ofPython)
}

export function pythonCases(commit: PythonCommitter): readonly Case[] {
  return [
    ['a store of Python makes table, partition and list as TypeScript would', world => makes(world, commit)],
    ['a store and a rollback of Python move it', world => moves(world, commit)],
    ['Python and TypeScript commit in turn', world => takesTurns(world, commit)],
    ['a column that comes from Python reaches table and partitions', world => evolves(world, commit)],
    ['Python names partitions by their keys, or by their name', world => namesPartitions(world, commit)],
    ['of committers at once in Python the last one stays', world => settles(world, commit)],
    ['Python drops what no log has, and leaves what others have added', world => tidies(world, commit)],
    ['what Python may not touch it names, and the commit is done', world => refuses(world, commit)],
    ['a commit of Python outlives Glue', world => outlives(world, commit)],
    ['Python without a prefix moves nothing, and of a wrong one it stores nothing', world => isAsked(world, commit)],
  ]
}

async function makes(world: GlueWorld, commit: PythonCommitter): Promise<string> {
  // Of more parts than one, as TypeScript would not write so few rows, and of none.
  const { ended, stderr } = await commit(world, [
    { ...stored(1), rows: 100_001 },
    { ...stored(1, NEXT_DAY), rows: 0 },
  ])
  equal(stderr, '')
  await agrees(world, ended[0])
  await agrees(world, ended[1], NEXT_DAY)
  await isMadeAlike(world, TABLE)
  return ''
}

async function moves(world: GlueWorld, commit: PythonCommitter): Promise<string> {
  const [before] = await world.connection.catalog.history(DAY)
  const startMs = performance.now()
  const { ended, stderr } = await commit(world, [stored(2)])
  const ms = performance.now() - startMs
  await agrees(world, ended[0])
  const back = await commit(world, [{ ...TABLE, partitions: [DAY.partition], to: before?.batchId ?? '' }])
  deepEqual([back.ended, stderr, back.stderr], [[before?.batchId], '', ''])
  await agrees(world, before?.batchId)
  equal((await world.connection.catalog.current(DAY))?.number, 3)
  return `a commit, its move and the start of Python took ${Math.round(ms)} ms`
}

async function takesTurns(world: GlueWorld, commit: PythonCommitter): Promise<string> {
  await agrees(world, (await store(world, DAY, 3)).batchId)
  const { ended } = await commit(world, [stored(4)])
  await agrees(world, ended[0])
  const current = await world.connection.catalog.current(DAY)
  const [, before] = await world.connection.catalog.history(DAY)
  const back = await world.connection.catalog.rollback(DAY, { to: before?.batchId ?? '', ...REASON })
  await agrees(world, back.batchId)
  const again = await commit(world, [{ ...TABLE, partitions: [DAY.partition], to: current?.batchId ?? '' }])
  await agrees(world, again.ended[0])
  return ''
}

async function evolves(world: GlueWorld, commit: PythonCommitter): Promise<string> {
  const { ended, stderr } = await commit(world, [{ ...stored(5), more: { Added: 7 } }])
  equal(stderr, '')
  await agrees(world, ended[0])
  for (const { StorageDescriptor } of await world.partitions('of_python')) {
    equal(StorageDescriptor?.Columns?.at(-1)?.Name, 'added')
  }
  await isMadeAlike(world, TABLE)
  return ''
}

async function namesPartitions(world: GlueWorld, commit: PythonCommitter): Promise<string> {
  const sales = { db: 'shop', table: 'python-sales' }
  const plain = { db: 'shop', table: 'python_plain' }
  const { stderr } = await commit(world, [
    { ...sales, partitionKeys: ['year', 'isgift'], partitions: ['2026', 'de'], visits: 1 },
    { ...sales, partitions: ['2026', 'fr'], visits: 1 },
    { ...plain, partitions: ['all'], visits: 1 },
  ])
  equal(stderr, '')
  const values = async (name: string) =>
    (await world.partitions(name)).map(({ Values }) => Values?.join(' ') ?? '').sort(byCodePoint)
  deepEqual([await values('python_sales'), await values('python_plain')], [['2026 de', '2026 fr'], ['all']])
  for (const table of [sales, plain]) {
    deepEqual(await driftOf(world, table), [])
    await isMadeAlike(world, table)
  }
  return 'keys declared, one of them called as a column, and none'
}

async function settles(world: GlueWorld, commit: PythonCommitter): Promise<string> {
  const committers = 6
  const commits = Array.from({ length: committers }, (_, index) => stored(index))
  const { ended, stderr } = await commit(world, commits, { isAtOnce: true })
  deepEqual([new Set(ended).size, stderr], [committers, ''])
  const current = await world.connection.catalog.current(DAY)
  await agrees(world, current?.batchId)
  return `${committers} committers at once, log number ${current?.number}`
}

async function tidies(world: GlueWorld, commit: PythonCommitter): Promise<string> {
  const table = await world.table('of_python')
  const { StorageDescriptor, PartitionKeys, Parameters } = table ?? {}
  // One column less, so that Python looks at the whole table; and a partition that no log has.
  const TableInput = {
    Name: 'of_python',
    StorageDescriptor: { ...StorageDescriptor, Columns: StorageDescriptor?.Columns?.slice(1) },
    PartitionKeys,
    Parameters: { ...Parameters, 'added-by': 'a crawler' },
  }
  await world.glue.send(new UpdateTableCommand({ DatabaseName: MIRROR.DatabaseName, TableInput }))
  const PartitionInput = { Values: ['1999-01-01'], StorageDescriptor }
  const at = { DatabaseName: MIRROR.DatabaseName, TableName: 'of_python' }
  await world.glue.send(new CreatePartitionCommand({ ...at, PartitionInput }))
  await removeLists(world, TABLE)
  const { ended, stderr } = await commit(world, [stored(8)])
  equal(stderr, '')
  equal((await world.table('of_python'))?.Parameters?.['added-by'], 'a crawler')
  equal(await world.partition('1999-01-01', 'of_python'), undefined)
  await agrees(world, ended[0])
  return ''
}

async function refuses(world: GlueWorld, commit: PythonCommitter): Promise<string> {
  const foreign = { db: 'shop', table: 'python-foreign', partition: 'day=2001-06-30' }
  const TableInput = { Name: 'python_foreign', Parameters: { owner: 'somebody' } }
  await world.glue.send(new CreateTableCommand({ DatabaseName: MIRROR.DatabaseName, TableInput }))
  const taken = await commit(world, [stored(1, foreign)])
  match(
    taken.stderr,
    /to shop.python-foreign, partition day=2001-06-30, is done; .*python_foreign of the mirror is of somebody else/,
  )
  match(taken.stderr, /It is done by `millrace table sync`/)
  equal((await world.connection.catalog.current(foreign))?.batchId, taken.ended[0])
  deepEqual((await world.table('python_foreign'))?.Parameters, { owner: 'somebody' })

  const odd = { ...TABLE, partition: 'staging' }
  const other = await commit(world, [stored(1, odd)])
  match(other.stderr, /has other partition keys in the mirror/)
  equal((await world.connection.catalog.current(odd))?.batchId, other.ended[0])
  equal((await world.millrace('table', 'sync', 'shop.of-python')).exitCode, 0)
  deepEqual((await world.table('of_python'))?.PartitionKeys, [{ Name: 'partition', Type: 'string' }])
  return 'a table of somebody else, and other partition keys'
}

async function outlives(world: GlueWorld, commit: PythonCommitter): Promise<string> {
  const plain = { db: 'shop', table: 'python_plain', partition: 'all' }
  await world.stopGlue()
  const { ended, stderr } = await commit(world, [stored(9, plain)])
  match(
    stderr,
    /to shop.python_plain, partition all, is done; its mirror in AWS Glue was not moved: AWS Glue cannot be reached/,
  )
  equal((await world.connection.catalog.current(plain))?.batchId, ended[0])
  await world.startGlueAnew()
  // Not even the database is there.
  const again = await commit(world, [stored(10, plain)])
  equal(again.stderr, '')
  deepEqual(await driftOf(world, plain), [])
  await isMadeAlike(world, plain)
  return 'a commit while Glue was away, and one that makes the database anew'
}

async function isAsked(world: GlueWorld, commit: PythonCommitter): Promise<string> {
  const plain = { db: 'shop', table: 'python_plain', partition: 'all' }
  const off = await commit(world, [stored(11, plain)], { env: { MILLRACE_GLUE_DATABASE_PREFIX: '' } })
  deepEqual([(await world.connection.catalog.current(plain))?.batchId, off.stderr], [off.ended[0], ''])
  deepEqual(await driftOf(world, plain), [['all', 'differs', MOVED]])
  const wrong = await commit(world, [stored(12, plain)], { env: { MILLRACE_GLUE_DATABASE_PREFIX: 'Shop-' } })
  deepEqual(wrong.ended, ['environment-invalid'])
  equal((await world.connection.catalog.current(plain))?.batchId, off.ended[0])
  return ''
}
