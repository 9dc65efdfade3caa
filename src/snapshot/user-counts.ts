// What is counted of the users that a worker goes through, for the report; two counts are one by addition.
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import type { EvaluatedUser } from '../predictions/evaluated-user.ts'
import { readSums } from '../store/checksums.ts'
import type { StoredItem } from '../store/user-item.ts'
import { ColumnSketches } from './column-sketches.ts'
import { DriftCounts, type PinnedModel, type PlainDrift } from './drift.ts'
import { featureColumns } from './snapshot-rows.ts'
import type { PlainSketch } from './value-sketch.ts'

/** Numbers that are simply added. */
export interface Totals {
  readonly users: number
  /** Items that could not be read and are not in the batch. */
  readonly corruptItems: number
  /** Users whose newest event is later than the instant. */
  readonly usersAfterInstant: number
  /** Bytes of state, features and predictions in the users table: as stored, and as the JSON that they are. */
  readonly storedBytes: number
  readonly plainBytes: number
  /** Items of which predictions are objects of their own, and how many; their rows have the values themselves. */
  readonly usersWithSpills: number
  readonly spilledValues: number
  /** Of DynamoDB, by the size of the items: half a unit for each 4 KB. */
  readonly readUnits: number
}

export interface UserFacts extends Totals {
  /** Of the rows; null where there are none. */
  readonly earliestAsOf: number | null
  readonly latestAsOf: number | null
  /** Model → the batch that answered, or `none` → users. */
  readonly models: Readonly<Record<string, Readonly<Record<string, number>>>>
}

export interface PlainCounts {
  readonly facts: UserFacts
  readonly drift: readonly PlainDrift[]
  readonly sketches: Readonly<Record<string, PlainSketch>>
}

const NO_TOTALS: Totals = {
  users: 0,
  corruptItems: 0,
  usersAfterInstant: 0,
  storedBytes: 0,
  plainBytes: 0,
  usersWithSpills: 0,
  spilledValues: 0,
  readUnits: 0,
}

const NO_BATCH = 'none'

export class UserCounts {
  readonly #totals: { -readonly [K in keyof Totals]: number } = { ...NO_TOTALS }
  readonly #models = new Map<string, Map<string, number>>()
  readonly #drift: DriftCounts
  readonly #sketches: ColumnSketches
  #earliestAsOf: number | null = null
  #latestAsOf: number | null = null

  constructor(compiled: CompiledPipeline, models: readonly PinnedModel[]) {
    this.#drift = new DriftCounts(models)
    this.#sketches = new ColumnSketches(featureColumns(compiled))
  }

  get users(): number {
    return this.#totals.users
  }

  get drift(): DriftCounts {
    return this.#drift
  }

  get sketches(): ColumnSketches {
    return this.#sketches
  }

  add(item: StoredItem, user: EvaluatedUser, instantMs: number): void {
    const totals = this.#totals
    totals.users++
    if (item.at > instantMs) totals.usersAfterInstant++
    if (item.spills !== undefined && item.spills > 0) {
      totals.usersWithSpills++
      totals.spilledValues += item.spills
    }
    this.#weigh(item)
    this.#span(user.features.asOf, user.features.asOf)
    for (const [model, { batchId = NO_BATCH }] of Object.entries(user.predictions.models)) {
      this.#model(model, batchId, 1)
    }
    this.#drift.add(user)
    this.#sketches.add(user)
  }

  addCorrupt(items: number): void {
    this.#totals.corruptItems += items
  }

  addRead(units: number): void {
    this.#totals.readUnits += units
  }

  merge({ facts, drift, sketches }: PlainCounts): void {
    for (const name of Object.keys(NO_TOTALS) as (keyof Totals)[]) this.#totals[name] += facts[name]
    if (facts.earliestAsOf !== null && facts.latestAsOf !== null) this.#span(facts.earliestAsOf, facts.latestAsOf)
    for (const [model, batches] of Object.entries(facts.models)) {
      for (const [batchId, users] of Object.entries(batches)) this.#model(model, batchId, users)
    }
    this.#drift.merge(drift)
    this.#sketches.merge(sketches)
  }

  facts(): UserFacts {
    const models = [...this.#models].map(([model, batches]) => [model, Object.fromEntries(batches)] as const)
    return {
      ...this.#totals,
      earliestAsOf: this.#earliestAsOf,
      latestAsOf: this.#latestAsOf,
      models: Object.fromEntries(models),
    }
  }

  plain(): PlainCounts {
    return { facts: this.facts(), drift: this.#drift.plain(), sketches: this.#sketches.plain() }
  }

  #weigh(item: StoredItem): void {
    const sums = readSums(item.sum)
    for (const { length, plainLength } of [sums.st, sums.ft, sums.pr]) {
      this.#totals.storedBytes += length
      this.#totals.plainBytes += plainLength
    }
  }

  #span(earliest: number, latest: number): void {
    this.#earliestAsOf = Math.min(this.#earliestAsOf ?? earliest, earliest)
    this.#latestAsOf = Math.max(this.#latestAsOf ?? latest, latest)
  }

  #model(model: string, batchId: string, users: number): void {
    const batches = this.#models.get(model) ?? new Map<string, number>()
    batches.set(batchId, (batches.get(batchId) ?? 0) + users)
    this.#models.set(model, batches)
  }
}
