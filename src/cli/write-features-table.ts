// Exported rows as one Parquet file: user, time, what was carried along, one typed column a feature. The fingerprint of each
// feature and the inputs of each model go into the file's own metadata, so that whoever trains on it needs nothing else.
import { rename } from 'node:fs/promises'
import { fileWriter, parquetWriteRows } from 'hyparquet-writer'
import type { Column, ColumnType, RowValue } from '../catalog/columns.ts'
import type { ExportRow, Instant } from '../features/export-rows.ts'
import type { FeaturesPlan } from '../features/plan.ts'
import { FEATURE_COLUMNS, featureType } from '../features/value-type.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { canonicalJson } from '../platform/canonical-json.ts'

/** Key of the file's metadata: JSON, feature name → fingerprint. */
export const FINGERPRINTS_KEY = 'millrace.features'
/** Key of the file's metadata: JSON, model name → its inputs in the declared order. */
export const MODELS_KEY = 'millrace.models'
/** What readers want (enough rows to compress, few enough to skip) and what this process holds at a time. */
const ROW_GROUP_ROWS = 50_000

const PARQUET_TYPE = {
  string: 'STRING',
  int64: 'INT64',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP',
  json: 'JSON',
} as const satisfies Record<ColumnType, string>

export interface FeaturesTable<I extends Instant> {
  readonly pipeline: Pipeline
  readonly plan: FeaturesPlan
  readonly carried: readonly Column[]
  readonly carriedValues: (instant: I) => readonly RowValue[]
  readonly rows: AsyncIterable<ExportRow<I>>
}

/** The columns of the table, in order. */
export function featureColumns(pipeline: Pipeline): Column[] {
  const set = pipeline.features.features
  return Object.entries(set).map(([name, feature]) => ({ name, type: FEATURE_COLUMNS[featureType(feature, set)] }))
}

/** Written beside `path` and renamed at the end: whoever sees the file sees all of it. Returns the number of rows. */
export async function writeFeaturesTable<I extends Instant>(path: string, table: FeaturesTable<I>): Promise<number> {
  const columns: Column[] = [
    { name: 'user', type: 'string' },
    { name: 'time', type: 'timestamp' },
    ...table.carried,
    ...featureColumns(table.pipeline),
  ]
  let count = 0
  async function* records(): AsyncGenerator<Record<string, unknown>> {
    for await (const { instant, features } of table.rows) {
      const record: Record<string, unknown> = { user: instant.userId, time: new Date(instant.time), ...features.values }
      for (const [index, value] of table.carriedValues(instant).entries()) {
        const column = table.carried[index]
        if (column !== undefined) record[column.name] = parquetValue(column.type, value)
      }
      count++
      yield record
    }
  }
  const unfinished = `${path}.unfinished`
  await parquetWriteRows({
    writer: fileWriter(unfinished),
    rows: records(),
    columns: columns.map(({ name, type }) => ({ name, type: PARQUET_TYPE[type] })),
    rowGroupSize: ROW_GROUP_ROWS,
    kvMetadata: [
      { key: FINGERPRINTS_KEY, value: fingerprintsJson(table.plan) },
      { key: MODELS_KEY, value: inputsJson(table.pipeline) },
    ],
  })
  await rename(unfinished, path)
  return count
}

function fingerprintsJson(plan: FeaturesPlan): string {
  return canonicalJson(Object.fromEntries(plan.features.map(({ name, fingerprint }) => [name, fingerprint])))
}

function inputsJson(pipeline: Pipeline): string {
  return canonicalJson(Object.fromEntries(pipeline.models.map(({ name, inputs }) => [name, inputs])))
}

function parquetValue(type: ColumnType, value: RowValue): unknown {
  if (value === null) return null
  if (type === 'timestamp') return new Date(Number(value))
  return type === 'int64' && typeof value === 'number' ? BigInt(value) : value
}
