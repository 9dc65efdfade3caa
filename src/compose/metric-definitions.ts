// Every metric that a function prints, in one table: an alarm can only be set on what is listed, and `docs/metrics.md` lists
// the same. No name and no dimension is made of a user or of free text, so there are as many metrics as these, the team's owners
// and its models.
import type { RefusalReason } from '../event/decoded-event.ts'
import type { PredictionStatus } from '../predictions/evaluated-user.ts'

export interface MetricDefinition {
  /** `None`: neither is summed up, nor of any size; one reading replaces the one before. */
  readonly unit: 'Count' | 'Milliseconds' | 'None'
  /** Functions that print it; `all`: every one. */
  readonly functions: readonly string[]
  /** Printed when it is 0 too: what falls back to 0 must be seen to. Others are not printed then. */
  readonly isGauge?: true
  /** Beside `service` and `function`, which every metric has. */
  readonly dimension?: 'owner' | 'model' | 'model, owner'
}

const HTTP = ['serve', 'ingest', 'catalog']

/** A name that ends in `*` stands for as many as there are reasons or statuses. */
export const METRICS = {
  folded: { unit: 'Count', functions: ['recompute'] },
  duplicate: { unit: 'Count', functions: ['recompute'] },
  belowFloor: { unit: 'Count', functions: ['recompute'] },
  'deadLetter.*': { unit: 'Count', functions: ['recompute'] },
  deadLetters: { unit: 'Count', functions: ['recompute'], dimension: 'owner' },
  failed: { unit: 'Count', functions: ['recompute'] },
  usersWritten: { unit: 'Count', functions: ['recompute'] },
  conflicts: { unit: 'Count', functions: ['recompute'] },
  retriableErrors: { unit: 'Count', functions: ['recompute', 'archive'] },
  unprocessedKeys: { unit: 'Count', functions: ['recompute'] },
  unknownFields: { unit: 'Count', functions: ['recompute'] },
  effectiveLateness: { unit: 'Milliseconds', functions: ['recompute'] },
  'prediction.*': { unit: 'Count', functions: ['recompute'] },
  modelBatch: { unit: 'None', functions: ['recompute', 'serve'], dimension: 'model' },
  recordsArchived: { unit: 'Count', functions: ['archive'] },
  recordsNotArchived: { unit: 'Count', functions: ['archive'] },
  'answer.*': { unit: 'Count', functions: HTTP },
  answersStored: { unit: 'Count', functions: ['serve'] },
  answersEvaluated: { unit: 'Count', functions: ['serve'] },
  usersInSnapshot: { unit: 'Count', functions: ['snapshot'] },
  corruptItems: { unit: 'Count', functions: ['snapshot'], isGauge: true },
  snapshotAge: { unit: 'Milliseconds', functions: ['snapshot'] },
  inputDrift: { unit: 'None', functions: ['snapshot'], dimension: 'model, owner' },
  outputDrift: { unit: 'None', functions: ['snapshot'], dimension: 'model, owner' },
  mirrorsNotMoved: { unit: 'Count', functions: ['snapshot', 'catalog'] },
  driftUnknown: { unit: 'Count', functions: ['snapshot'], dimension: 'model, owner' },
  hoursCompacted: { unit: 'Count', functions: ['compact'] },
  recordsCompacted: { unit: 'Count', functions: ['compact'] },
  hoursLeft: { unit: 'Count', functions: ['compact'], isGauge: true },
  sdkRetries: { unit: 'Count', functions: ['all'] },
  errors: { unit: 'Count', functions: ['all'] },
} as const satisfies Record<string, MetricDefinition>

type Family = Extract<keyof typeof METRICS, `${string}.*`>

export type MetricName =
  | Exclude<keyof typeof METRICS, Family>
  | `deadLetter.${RefusalReason}`
  | `prediction.${PredictionStatus}`
  /** HTTP's status, of three digits. */
  | `answer.${number}`

export function metricDefinition(name: MetricName): MetricDefinition {
  const definitions: Readonly<Record<string, MetricDefinition>> = METRICS
  const definition = definitions[name.replace(/\..*$/, '.*')]
  if (definition === undefined) throw new Error(`There is no metric ${name}`)
  return definition
}
