// A training set: for each label the features one millisecond before it, as one batch of the catalogue that names all it was made
// from. Bucket by bucket, so that memory follows from neither the number of labels nor of events; no wall clock is in a row.
import type { History } from '../archive/history.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { type Column, checkColumns, type Row } from '../catalog/columns.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { PART_ROWS_MAX, storeRows } from '../catalog/table-rows.ts'
import { compileFeatures, type FeaturesPlan } from '../features/plan.ts'
import { selectFeatures } from '../features/select-features.ts'
import { FEATURE_COLUMNS, featureType } from '../features/value-type.ts'
import type { Json } from '../platform/canonical-json.ts'
import { MINUTE_MS } from '../platform/duration.ts'
import { MillraceError } from '../platform/errors.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { AcceptedRecords } from './open-letters.ts'
import { bucketEvents, type EventCounts, type Known } from './training-events.ts'
import { type Label, LabelSpool, LabelsHash, type SpooledLabel } from './training-labels.ts'
import { type RowCounts, type TrainingRow, trainingRows } from './training-rows.ts'

/** Columns of the table beside those of labels and features. */
const OWN_COLUMNS: readonly Column[] = [
  { name: 'user_id', type: 'string' },
  { name: 'time', type: 'timestamp' },
  { name: 'label_row', type: 'int64' },
]
const PARTITION = 'all'
/** A part is held twice while it is written, as rows and as columns: with 500 features it has fewer rows. */
const PART_CELLS_MAX = 1_000_000
/** An event that had arrived is in the archive within minutes; rows of instants as near as this may be without it. */
const ARCHIVED_WITHIN_MS = 10 * MINUTE_MS
const PROGRESS_ROWS = 1_000

export interface LabelSource {
  readonly rows: AsyncIterable<Label>
  /** The carried columns, when all rows have come. */
  carried(): readonly Column[]
}

export interface TrainingSetOptions {
  readonly compiled: CompiledPipeline
  readonly catalog: Catalog
  /** Asked once all labels are read: what is wrong with them is said first. Closed here. */
  readonly openHistory: () => Promise<History>
  /** `recordKey` of each of a bucket's records with an open dead letter: it counts for nobody. */
  readonly openLetters: (bucket: number) => Promise<ReadonlySet<string>>
  /** Of a bucket, records that count although they are ahead of their arrival; none unless given. */
  readonly accepted?: (bucket: number) => Promise<AcceptedRecords>
  /** The table is `training_<name>`. */
  readonly name: string
  readonly known: Known
  /** Undefined: all of the pipeline's, in the order of their definition. */
  readonly features?: readonly string[] | undefined
  /** No later than the history is opened. */
  readonly openedMs: number
  /** A folder made and removed by the caller. */
  readonly spoolDir: string
  readonly who: string
  readonly why: string
  /** Everything is computed and counted, nothing is stored. */
  readonly isDryRun?: boolean
  /** Of a sort in memory, plain bytes; and label users of a bucket that are held. For tests: any bound gives the same rows. */
  readonly runBytesMax?: number
  readonly usersHeldMax?: number
  readonly onRows?: (added: number, total: number) => void
}

export interface TrainingSetReport extends EventCounts, RowCounts {
  readonly ref: PartitionRef
  /** Undefined in a dry run. */
  readonly batch: LogEntry | undefined
  /** Rows so near to the run that events which had arrived may not have been archived yet. */
  readonly rowsNotSettled: number
  readonly labelsSha256: string
  readonly columns: readonly Column[]
  /** Name → fingerprint. */
  readonly features: Readonly<Record<string, string>>
}

/** Throws MillraceError, CatalogError, ObjectStoreError, ArchiveError. */
export async function makeTrainingSet(labels: LabelSource, options: TrainingSetOptions): Promise<TrainingSetReport> {
  const { compiled, catalog, spoolDir, isDryRun, who, why } = options
  const ref = { db: compiled.pipeline.name, table: trainingTable(options.name), partition: PARTITION }
  const features = wantedFeatures(compiled, options.features)
  const spool = new LabelSpool(spoolDir)
  let history: History | undefined
  try {
    for await (const label of labels.rows) spool.add(label)
    if (spool.count === 0) throw noLabels()
    const carried = labels.carried()
    const columns = [...OWN_COLUMNS, ...carried, ...features.columns]
    checkColumns(columns)
    history = await options.openHistory()
    const run = new Run(spool, { carried, features, hash: new LabelsHash(carried), history }, options)
    const rows = run.rows()
    let batch: LogEntry | undefined
    if (isDryRun === true) for await (const _ of rows) continue
    else {
      await catalog.createTable(ref, { columns, format: 'parquet', owner: compiled.pipeline.name })
      const partRowsMax = Math.min(PART_ROWS_MAX, Math.floor(PART_CELLS_MAX / columns.length))
      const properties = (): Record<string, Json> => run.papers()
      batch = await storeRows(catalog, ref, { rows, partRowsMax, who, why, inputs: history.inputs, properties })
    }
    return { ref, batch, columns, ...run.counts, ...run.findings() }
  } finally {
    spool.remove()
    await history?.close()
  }
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,54}$/

/** Throws MillraceError `training-set-name-invalid`. */
export function trainingTable(name: string): string {
  if (NAME.test(name)) return `training_${name}`
  throw new MillraceError(`"${name}" cannot be the name of a training set`, {
    code: 'training-set-name-invalid',
    next: 'Use small letters, digits, - and _, a letter or digit first, at most 55.',
  })
}

interface WantedFeatures {
  readonly plan: FeaturesPlan
  readonly names: readonly string[]
  readonly columns: readonly Column[]
  readonly fingerprints: Readonly<Record<string, string>>
}

function wantedFeatures({ pipeline, features }: CompiledPipeline, wanted?: readonly string[]): WantedFeatures {
  const all = pipeline.features.features
  const names = [...new Set(wanted ?? Object.keys(all))]
  const plan = wanted === undefined ? features : compileFeatures(selectFeatures(pipeline.features, names))
  const columns = names.map((name): Column => {
    const feature = Object.hasOwn(all, name) ? all[name] : undefined
    if (feature === undefined) throw unknownFeature(name, Object.keys(all))
    return { name, type: FEATURE_COLUMNS[featureType(feature, all)] }
  })
  const byName = new Map(plan.features.map(({ name, fingerprint }) => [name, fingerprint]))
  return { plan, names, columns, fingerprints: Object.fromEntries(names.map(name => [name, byName.get(name) ?? ''])) }
}

function unknownFeature(name: string, known: readonly string[]): MillraceError {
  return new MillraceError(`There is no feature "${name}"`, {
    code: 'feature-unknown',
    next: `The pipeline has: ${known.join(', ')}.`,
  })
}

function noLabels(): MillraceError {
  return new MillraceError('There are no labels', {
    code: 'labels-empty',
    next: 'Give at least one row with the columns user and time.',
  })
}

interface Shape {
  readonly carried: readonly Column[]
  readonly features: WantedFeatures
  readonly hash: LabelsHash
  readonly history: History
}

/** One pass over all buckets, and what was counted on the way. */
class Run {
  readonly counts: EventCounts & RowCounts = {
    rows: 0,
    users: 0,
    usersWithoutEvents: 0,
    events: 0,
    notArrived: 0,
    duplicates: 0,
    refused: 0,
    openLetters: 0,
  }
  readonly #spool: LabelSpool
  readonly #shape: Shape
  readonly #options: TrainingSetOptions
  #rowsNotSettled = 0

  constructor(spool: LabelSpool, shape: Shape, options: TrainingSetOptions) {
    this.#spool = spool
    this.#shape = shape
    this.#options = options
  }

  async *rows(): AsyncGenerator<Row> {
    const { counts } = this
    const { carried, features, history } = this.#shape
    for (const bucket of this.#spool.buckets()) {
      const userIds = await this.#spool.users(bucket, this.#options.usersHeldMax)
      const openLetters = await this.#options.openLetters(bucket)
      const accepted: AcceptedRecords = (await this.#options.accepted?.(bucket)) ?? new Map()
      const events = bucketEvents(bucket, { ...this.#options, history, openLetters, accepted, userIds, counts })
      const labels = this.#spool.sorted(bucket, carried, this.#options)
      for await (const row of trainingRows(features.plan, { labels, events, counts })) {
        this.#see(row.label)
        yield this.#row(row)
      }
    }
    this.#progress(counts.rows % PROGRESS_ROWS)
  }

  findings() {
    const { features, hash } = this.#shape
    return { labelsSha256: hash.hex(), rowsNotSettled: this.#rowsNotSettled, features: features.fingerprints }
  }

  /** With the manifest's inputs and columns, all that the rows follow from. */
  papers(): Record<string, Json> {
    const { known, compiled } = this.#options
    const { positions } = this.#shape.history
    const { labelsSha256, rowsNotSettled, features } = this.findings()
    return {
      known,
      labels: { sha256: labelsSha256, rows: this.#spool.count },
      features,
      definitions: compiled.definitions,
      positions: Object.fromEntries([...positions].sort(([a], [b]) => (a < b ? -1 : 1))),
      counts: { ...this.counts, rowsNotSettled },
    }
  }

  #see(label: SpooledLabel): void {
    this.#shape.hash.add(label)
    if (label.time > this.#options.openedMs - ARCHIVED_WITHIN_MS) this.#rowsNotSettled++
    if (this.counts.rows % PROGRESS_ROWS === 0) this.#progress(PROGRESS_ROWS)
  }

  #progress(added: number): void {
    this.#options.onRows?.(added, this.#spool.count)
  }

  #row({ label, values }: TrainingRow<SpooledLabel>): Row {
    const { carried, features } = this.#shape
    const row: Record<string, Row[string]> = { user_id: label.userId, time: label.time, label_row: label.row }
    for (const [index, { name }] of carried.entries()) row[name] = label.values[index] ?? null
    for (const name of features.names) row[name] = values[name] ?? null
    return row
  }
}
