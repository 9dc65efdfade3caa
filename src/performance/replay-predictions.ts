// Each outcome beside what the version in production then would have said one millisecond before it: features as a GET of that
// instant knew them, by the fold and the evaluation of training sets, and the model run once more. For teams without snapshots.
import type { LogEntry } from '../catalog/items.ts'
import { compileFeatures, type FeaturesPlan } from '../features/plan.ts'
import { selectFeatures } from '../features/select-features.ts'
import type { ModelDefinition } from '../model/define.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { PinnedPredictor } from '../predictions/predictor.ts'
import type { PredictWith } from '../replay/explain-models.ts'
import { type RowCounts, type TrainingRow, trainingRows } from '../replay/training-rows.ts'
import type { SpooledLabel } from '../replay/training-labels.ts'
import { type ArchivedEvents, timedEvents } from './event-outcomes.ts'
import { judge, type JoinCounts, type Judged, predictedNumber } from './judged.ts'
import { type OutcomeSpool, outcomeOf } from './outcomes.ts'

/** Rows of one run of the model: many share its cost, and they are held for it. */
const ROWS_PER_RUN = 1_000

export interface ReplayOptions {
  readonly archived: ArchivedEvents
  readonly model: ModelDefinition
  readonly output: string
  /** Of the stage that serves, in any order. */
  readonly log: readonly LogEntry[]
  readonly predictWith: PredictWith
  readonly counts: JoinCounts
}

export class ReplayedPredictions {
  readonly #options: ReplayOptions
  readonly #plan: FeaturesPlan
  /** Oldest first. */
  readonly #log: readonly LogEntry[]
  readonly #predictors = new Map<string, Promise<PinnedPredictor>>()

  constructor(options: ReplayOptions) {
    this.#options = options
    this.#plan = planOf(options.archived.compiled, options.model)
    this.#log = options.log.toSorted((a, b) => a.at - b.at || a.number - b.number)
  }

  /** Throws what the history, the catalogue and the models throw. */
  async *bucket(bucket: number, outcomes: OutcomeSpool): AsyncGenerator<Judged> {
    const userIds = await outcomes.users(bucket)
    const events = timedEvents(this.#options.archived, bucket, { known: 'arrival', userIds })
    const counts: RowCounts = { rows: 0, users: 0, usersWithoutEvents: 0, notArrived: 0 }
    const waiting = new Map<string, TrainingRow<SpooledLabel>[]>()
    for await (const row of trainingRows(this.#plan, { labels: outcomes.labels(bucket), events, counts })) {
      const batchId = this.#versionAt(row.label.time - 1)
      if (batchId === undefined) {
        judge(outcomeOf(row.label), undefined, this.#options.counts)
        continue
      }
      const rows = waiting.get(batchId)
      if (rows === undefined) waiting.set(batchId, [row])
      else if (rows.push(row) >= ROWS_PER_RUN) {
        waiting.delete(batchId)
        yield* await this.#run(batchId, rows)
      }
    }
    for (const [batchId, rows] of waiting) yield* await this.#run(batchId, rows)
  }

  #versionAt(ms: number): string | undefined {
    return this.#log.findLast(({ at }) => at <= ms)?.batchId
  }

  async #run(batchId: string, rows: readonly TrainingRow<SpooledLabel>[]): Promise<readonly Judged[]> {
    const { model, output, predictWith, counts } = this.#options
    let opened = this.#predictors.get(batchId)
    if (opened === undefined) {
      opened = predictWith({ [model.name]: batchId })
      this.#predictors.set(batchId, opened)
    }
    const predictor = await opened
    const users = await predictor.predict(rows.map(({ label, values }) => ({ asOf: label.time - 1, values })))
    return rows.flatMap(({ label }, index) => {
      const predicted = predictedNumber(users[index]?.predictions.models[model.name], output)
      return judge(outcomeOf(label), predicted, counts) ?? []
    })
  }
}

/** Of the model's inputs alone: the rest need not be folded. */
function planOf({ pipeline }: CompiledPipeline, { inputs }: ModelDefinition): FeaturesPlan {
  return compileFeatures(selectFeatures(pipeline.features, inputs))
}
