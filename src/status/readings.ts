// What was read of a deployment, source by source: one that could not be read says why and takes nothing away from the others.
import type { LogEntry } from '../catalog/items.ts'
import type { DeployedFunction, DeployedMapping, MetricPoint } from './ports.ts'

export type Reading<T> = { readonly value: T } | { readonly problem: string; readonly next: string | undefined }

export interface Readings {
  readonly nowMs: number
  readonly sinceMs: number
  readonly functions: readonly FunctionReading[]
  /** Records that came into the stream, by minute. */
  readonly incoming: Reading<readonly MetricPoint[]>
  /** When the newest record arrived that the archive has; undefined: it has none of the last week. */
  readonly newestArchivedMs: Reading<number | undefined>
  readonly deadLetters: Reading<DeadLettersReading>
  readonly givenUp: Reading<GivenUpReading>
  readonly doubt: Reading<Counted>
  readonly compaction: Reading<CompactionReading>
  readonly models: readonly ModelReading[]
  /** Undefined: none was stored in the span. */
  readonly predictions: Reading<PredictionsReading | undefined>
  readonly snapshot: Reading<SnapshotReading | undefined>
  readonly definitions: Reading<DefinitionsReading>
}

export interface FunctionReading {
  /** `recompute` */
  readonly key: string
  /** Of functions that read the stream; empty: it has none. */
  readonly mappings: Reading<readonly DeployedMapping[]> | undefined
  /** Who paused or resumed it last. */
  readonly switched: Reading<LogEntry | undefined> | undefined
  /** Undefined: it is not deployed. */
  readonly deployed: Reading<DeployedFunction | undefined>
  readonly measured: Reading<FunctionMeasures>
}

export interface FunctionMeasures {
  readonly invocations: number
  readonly errors: number
  readonly throttles: number
  /** Age of delivered records by minute; empty of functions that read no stream. */
  readonly ages: readonly MetricPoint[]
}

/** Of the last `COMPACTION_SILENT_MAX_MS`, however long the span is. */
export interface CompactionReading {
  /** Left by the newest run; undefined: no run said any. */
  readonly hoursLeft: number | undefined
  /** Invocations, failed ones too. */
  readonly runs: number
}

/** `isComplete`: false where there may be more, as the look was ended. */
export interface Counted {
  readonly count: number
  readonly isComplete: boolean
}

export interface DeadLettersReading extends Counted {
  /** Most of them first. */
  readonly reasons: readonly { readonly reason: string; readonly count: number; readonly owners: readonly string[] }[]
}

export interface GivenUpReading extends Counted {
  readonly newestMs: number | undefined
}

export interface ModelReading {
  readonly name: string
  readonly owner: string
  /** Undefined: none was ever published. */
  readonly production: Reading<LogEntry | undefined>
  /** What the functions that ask the model said that they have; a function that said nothing in the span is absent. */
  readonly batches: Reading<readonly FunctionBatches[]>
}

/** As numbers (`batchIdNumber`), of the newest minute of which the function said any: they differ where its containers do. */
export interface FunctionBatches {
  /** `recompute` */
  readonly key: string
  /** Start of the minute. */
  readonly atMs: number
  readonly oldest: number
  readonly newest: number
}

/** What recompute stored in the newest minute in which it stored predictions. */
export interface PredictionsReading {
  /** Start of the minute. */
  readonly atMs: number
  readonly ok: number
  /** The model gave what its papers do not allow, or failed. */
  readonly refused: number
}

export interface SnapshotReading {
  readonly partition: string
  readonly batchId: string
  readonly at: number
  readonly rows: number
}

export interface DefinitionsReading {
  /** Undefined: none was ever recorded. */
  readonly recordedAt: number | undefined
  /** Whether they are those of this folder. */
  readonly isSame: boolean
}

export async function reading<T>(read: () => Promise<T>): Promise<Reading<T>> {
  try {
    return { value: await read() }
  } catch (error) {
    return problemOf(error)
  }
}

function problemOf(error: unknown): { readonly problem: string; readonly next: string | undefined } {
  const problem = error instanceof Error ? error.message : String(error)
  const next: unknown = error instanceof Error && 'next' in error ? error.next : undefined
  return { problem, next: typeof next === 'string' ? next : undefined }
}

export function isRead<T>(found: Reading<T>): found is { readonly value: T } {
  return 'value' in found
}
