// Exported rows as one Parquet file: user, time, what was carried along, one typed column a feature. The fingerprint of each
// feature and the inputs of each model go into the file's own metadata, so that whoever trains on it needs nothing else.
import type { Column, Row, RowValue } from '../catalog/columns.ts'
import type { ExportRow, Instant } from '../features/export-rows.ts'
import type { FeaturesPlan } from '../features/plan.ts'
import { FEATURE_COLUMNS, featureType } from '../features/value-type.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { canonicalJson } from '../platform/canonical-json.ts'
import { writeParquetFile } from './parquet-out.ts'

/** Key of the file's metadata: JSON, feature name → fingerprint. */
export const FINGERPRINTS_KEY = 'millrace.features'
/** Key of the file's metadata: JSON, model name → its inputs in the declared order. */
export const MODELS_KEY = 'millrace.models'

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

/** Returns the number of rows. */
export async function writeFeaturesTable<I extends Instant>(path: string, table: FeaturesTable<I>): Promise<number> {
  const { pipeline, plan, carried } = table
  async function* rows(): AsyncGenerator<Row> {
    for await (const { instant, features } of table.rows) {
      const row: Record<string, RowValue> = { user: instant.userId, time: instant.time, ...features.values }
      for (const [index, value] of table.carriedValues(instant).entries()) {
        const column = carried[index]
        if (column !== undefined) row[column.name] = value
      }
      yield row
    }
  }
  return writeParquetFile(path, {
    columns: [
      { name: 'user', type: 'string' },
      { name: 'time', type: 'timestamp' },
      ...carried,
      ...featureColumns(pipeline),
    ],
    rows: rows(),
    metadata: { [FINGERPRINTS_KEY]: fingerprintsJson(plan), [MODELS_KEY]: inputsJson(pipeline) },
  })
}

function fingerprintsJson(plan: FeaturesPlan): string {
  return canonicalJson(Object.fromEntries(plan.features.map(({ name, fingerprint }) => [name, fingerprint])))
}

export function inputsJson(pipeline: Pipeline): string {
  return canonicalJson(Object.fromEntries(pipeline.models.map(({ name, inputs }) => [name, inputs])))
}
