// What the catalogue adds to Parquet: a million rows stored and loaded, over stores in memory, against hyparquet and hyparquet-writer
// alone, which make the same files of the same rows and read them back. Both run in turns in one process, so the machine is the same
// for both, and what is judged is the ratio: it exits 1 where that is over its limit. `--json` for machines; `--rows N`, `--rounds N`.
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parquetReadObjects } from 'hyparquet'
import { ByteWriter, parquetWriteRows } from 'hyparquet-writer'
import { type Catalog, catalog } from '../src/catalog/catalog.ts'
import type { Row } from '../src/catalog/columns.ts'
import { ROW_GROUP_ROWS } from '../src/catalog/parquet-rows.ts'
import { schemaElements } from '../src/catalog/parquet-types.ts'
import { loadColumns, loadRows, PART_ROWS_MAX, storeRows } from '../src/catalog/table-rows.ts'
import { seededRandom } from '../src/platform/random.ts'
import { memoryCatalogStore } from '../test/fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../test/fakes/memory-object-store.ts'
import { benchRows, CATALOG_COLUMNS } from './catalog-rows.ts'
import { quantile } from './stopwatch.ts'

const USERS = { db: 'shop', table: 'users', partition: 'day=2026-06-30' }
const REASON = { who: 'bench', why: 'to be measured' }

/** Checks, hashes and the log may cost ten in a hundred of what Parquet itself does. */
const RATIO_MAX = 1.1

setFlagsFromString('--expose-gc')
/** So that neither pays for the garbage of the other. */
const collectGarbage = runInNewContext('gc') as () => void

/** CPU seconds of this process: what the work takes, however many others are on the cores. */
interface Seconds {
  readonly store: number
  readonly load: number
  readonly bytes: number
}

const INTEGERS = CATALOG_COLUMNS.filter(({ type }) => type === 'int64' || type === 'timestamp').map(({ name }) => name)
const SCHEMA = [{ name: 'root', num_children: CATALOG_COLUMNS.length }, ...CATALOG_COLUMNS.flatMap(schemaElements)]

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
})
const rows = benchRows(Number(values.rows))
const [ours, alone, columns, first]: [Seconds[], Seconds[], number[], number[]] = [[], [], [], []]
for (let round = 0; round < Number(values.rounds) + 1; round++) {
  // The first round warms both up; then each is first every other time.
  const turns = round % 2 === 0 ? [takeOurs, takeAlone] : [takeAlone, takeOurs]
  for (const turn of turns) await turn(round > 0)
}
report()

async function takeOurs(isCounted: boolean): Promise<void> {
  const world = { clock: () => Date.UTC(2026, 5, 30), random: seededRandom(1), sleep: async () => undefined }
  const objects = memoryObjectStore()
  const users = catalog({ store: memoryCatalogStore(), objects, ...world })
  await users.createTable(USERS, { columns: CATALOG_COLUMNS, format: 'parquet', owner: 'bench' })
  const store = await cpuSeconds(() => storeRows(users, USERS, { rows, ...REASON }))
  const load = await cpuSeconds(async () => expectCount(await countRows(loadRows(users, USERS))))
  const few = await cpuSeconds(async () => expectCount(await countColumns(users)))
  const toFirst = await wallSeconds(async () => {
    for await (const row of loadRows(users, USERS)) if (row['user_id'] !== undefined) break
  })
  if (!isCounted) return
  ours.push({ store, load, bytes: bytesOf([...objects.objects.values()]) })
  columns.push(few)
  first.push(toFirst)
}

/** What a program would do that has hyparquet and no catalogue: integers to and from what Parquet has, and files of as many rows. */
async function takeAlone(isCounted: boolean): Promise<void> {
  const files: ArrayBuffer[] = []
  const store = await cpuSeconds(async () => {
    for (let start = 0; start < rows.length; start += PART_ROWS_MAX) {
      files.push(writeAlone(rows.slice(start, start + PART_ROWS_MAX)))
    }
  })
  const load = await cpuSeconds(async () => {
    let count = 0
    for (const file of files) for (const row of await readAlone(file)) if (row['user_id'] !== undefined) count++
    expectCount(count)
  })
  if (isCounted) alone.push({ store, load, bytes: bytesOf(files) })
}

function writeAlone(part: readonly Row[]): ArrayBuffer {
  const writer = new ByteWriter()
  const written = part.map(row => {
    const members: Record<string, unknown> = { ...row }
    for (const name of INTEGERS) members[name] = BigInt(row[name] as number)
    return members
  })
  const columnNames = CATALOG_COLUMNS.map(({ name }) => ({ name }))
  void parquetWriteRows({ writer, rows: written, columns: columnNames, schema: SCHEMA, rowGroupSize: ROW_GROUP_ROWS })
  return writer.getBuffer()
}

async function readAlone(file: ArrayBuffer): Promise<Record<string, unknown>[]> {
  const read = await parquetReadObjects({ file, parsers: { timestampFromMilliseconds: (ms: bigint) => ms } })
  for (const row of read) for (const name of INTEGERS) row[name] = Number(row[name])
  return read
}

async function countRows(loaded: AsyncIterable<Row>): Promise<number> {
  let count = 0
  for await (const row of loaded) if (row['user_id'] !== undefined) count++
  return count
}

async function countColumns(users: Catalog): Promise<number> {
  let count = 0
  for await (const part of loadColumns(users, USERS, { columns: ['user_id', 'churn'] })) count += part.rows
  return count
}

function expectCount(count: number): void {
  if (count !== rows.length) throw new Error(`${count} rows came back of ${rows.length}`)
}

function bytesOf(files: readonly { readonly byteLength: number }[]): number {
  return files.reduce((sum, { byteLength }) => sum + byteLength, 0)
}

async function cpuSeconds(work: () => Promise<unknown>): Promise<number> {
  collectGarbage()
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1e6
}

async function wallSeconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

function report(): void {
  const median = (all: readonly number[]): number => quantile(all, 0.5)
  const of = (all: readonly Seconds[], what: keyof Seconds): number => median(all.map(each => each[what]))
  const ratioOf = (what: (seconds: Seconds) => number): number =>
    median(ours.map((seconds, round) => what(seconds) / what(alone[round] ?? seconds)))
  const megabytes = of(ours, 'bytes') / 1e6
  const figures = {
    rows: rows.length,
    megabytes,
    ours: { storeSeconds: of(ours, 'store'), loadSeconds: of(ours, 'load') },
    alone: { storeSeconds: of(alone, 'store'), loadSeconds: of(alone, 'load') },
    storeRatio: ratioOf(({ store }) => store),
    loadRatio: ratioOf(({ load }) => load),
    ratio: ratioOf(({ store, load }) => store + load),
    twoColumnsSeconds: median(columns),
    firstRowSeconds: median(first),
  }
  if (figures.ratio > RATIO_MAX) process.exitCode = 1
  if (values.json) {
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`)
    return
  }
  const line = (label: string, { storeSeconds, loadSeconds }: typeof figures.ours): string =>
    `  ${label.padEnd(16)} store ${storeSeconds.toFixed(2)} s (${(megabytes / storeSeconds).toFixed(1)} MB/s), load ${loadSeconds.toFixed(2)} s (${(megabytes / loadSeconds).toFixed(1)} MB/s)\n`
  process.stdout.write(
    `${rows.length} rows of ${CATALOG_COLUMNS.length} columns, ${megabytes.toFixed(1)} MB of Parquet, CPU seconds, medians\n` +
      line('catalogue', figures.ours) +
      line('hyparquet alone', figures.alone) +
      `  ratio: ${figures.ratio.toFixed(2)} (store ${figures.storeRatio.toFixed(2)}, load ${figures.loadRatio.toFixed(2)})\n` +
      `  two columns of the ten: ${figures.twoColumnsSeconds.toFixed(2)} s; the first row after ${figures.firstRowSeconds.toFixed(3)} s\n`,
  )
}
