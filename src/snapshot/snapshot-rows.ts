// One row per user: all features as typed columns, and the predictions as JSON, everybody evaluated at one instant.
import type { Column, Row } from '../catalog/columns.ts'
import { FEATURE_COLUMNS, featureType } from '../features/value-type.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { EvaluatedUser } from '../predictions/evaluated-user.ts'

export function snapshotColumns(compiled: CompiledPipeline): readonly Column[] {
  return [
    { name: 'user_id', type: 'string' },
    { name: 'as_of', type: 'timestamp' },
    { name: 'version', type: 'int64' },
    ...featureColumns(compiled),
    { name: 'pending', type: 'json' },
    { name: 'predictions', type: 'json' },
  ]
}

/** By name, as in every answer: writing features in another order is no other table. */
export function featureColumns({ pipeline, features: plan }: CompiledPipeline): readonly Column[] {
  const { features } = pipeline.features
  return plan.features.flatMap(({ name }) => {
    const feature = features[name]
    return feature === undefined ? [] : [{ name, type: FEATURE_COLUMNS[featureType(feature, features)] }]
  })
}

export function snapshotRow(userId: string, version: number, { features, predictions }: EvaluatedUser): Row {
  const row: Record<string, Row[string]> = { user_id: userId, as_of: features.asOf, version }
  for (const [name, value] of Object.entries(features.values)) row[name] = value
  row['pending'] = features.pending ?? null
  row['predictions'] = { ...predictions.models } as unknown as Row[string]
  return row
}
