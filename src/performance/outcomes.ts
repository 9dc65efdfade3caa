// What really happened: a user, an instant and a label. Outcomes come from events or from a table; either way a threshold can make
// a class of an amount. They are sorted into local files by the bucket of their user, as they may be more than memory holds.
import type { Column } from '../catalog/columns.ts'
import { DAY_MS } from '../platform/duration.ts'
import { userBucket } from '../platform/hash.ts'
import { MillraceError } from '../platform/errors.ts'
import { LabelSpool, type SpooledLabel } from '../replay/training-labels.ts'
import { isClass } from './metrics.ts'

export interface Outcome {
  readonly userId: string
  /** ms UTC. */
  readonly time: number
  readonly label: number
  readonly weight: number
}

export interface OutcomeRules {
  /** Makes 1 of what passes it and 0 of what does not. */
  readonly threshold?: Threshold | undefined
  /** Whether a label that is neither 0 nor 1 is refused. */
  readonly isOfClasses: boolean
  /** Both ms; from is included, to is not. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

export const COMPARISONS = ['above', 'atLeast', 'below', 'atMost'] as const

export interface Threshold {
  readonly comparison: (typeof COMPARISONS)[number]
  readonly than: number
}

/** Undefined: this row says nothing, as its label is missing. */
export type RawOutcome = Omit<Outcome, 'label'> & { readonly label: number | boolean | null }

/** The columns as the files carry them. */
const COLUMNS: readonly Column[] = [
  { name: 'label', type: 'double' },
  { name: 'weight', type: 'double' },
]

export class OutcomeSpool {
  readonly #labels: LabelSpool
  readonly #rules: OutcomeRules
  readonly #days = new Map<number, Set<number>>()
  /** Outcomes without a label, which are left out; and those before or after the time that is asked about. */
  withoutLabel = 0
  outsideTime = 0

  constructor(folder: string, rules: OutcomeRules) {
    this.#labels = new LabelSpool(folder)
    this.#rules = rules
  }

  get count(): number {
    return this.#labels.count
  }

  /** Throws MillraceError `labels-not-classes`, `outcome-invalid`. */
  add({ userId, time, label: raw, weight }: RawOutcome): void {
    const { threshold, isOfClasses, fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = this.#rules
    if (time < fromMs || time >= toMs) this.outsideTime++
    else if (raw === null) this.withoutLabel++
    else {
      const label = threshold === undefined ? Number(raw) : passes(Number(raw), threshold) ? 1 : 0
      if (!Number.isFinite(label) || !(weight >= 0) || !Number.isFinite(weight)) throw invalidOutcome(time)
      if (isOfClasses && !isClass(label)) throw notClasses(label)
      this.#labels.add({ userId, time, values: [label, weight] })
      this.#addDay(userBucket(userId), Math.floor(time / DAY_MS))
    }
  }

  /** Buckets with outcomes, ascending. */
  buckets(): readonly number[] {
    return this.#labels.buckets()
  }

  /** The days, counted from 1970, on which users of the bucket have outcomes. */
  days(bucket: number): ReadonlySet<number> {
    return this.#days.get(bucket) ?? new Set()
  }

  /** Undefined where they are too many to be held. */
  users(bucket: number): Promise<ReadonlySet<string> | undefined> {
    return this.#labels.users(bucket)
  }

  /** By user and time, as the machinery of training sets takes them. */
  labels(bucket: number): AsyncGenerator<SpooledLabel> {
    return this.#labels.sorted(bucket, COLUMNS)
  }

  /** By user and time. */
  async *sorted(bucket: number): AsyncGenerator<Outcome> {
    for await (const label of this.labels(bucket)) yield outcomeOf(label)
  }

  remove(): void {
    this.#labels.remove()
  }

  #addDay(bucket: number, day: number): void {
    const days = this.#days.get(bucket)
    if (days === undefined) this.#days.set(bucket, new Set([day]))
    else days.add(day)
  }
}

export function outcomeOf({ userId, time, values }: SpooledLabel): Outcome {
  return { userId, time, label: Number(values[0]), weight: Number(values[1]) }
}

function passes(value: number, { comparison, than }: Threshold): boolean {
  switch (comparison) {
    case 'above':
      return value > than
    case 'atLeast':
      return value >= than
    case 'below':
      return value < than
    case 'atMost':
      return value <= than
  }
}

function notClasses(label: number): MillraceError {
  return new MillraceError(`A label is ${label}, and this metric is of labels that are 0 or 1`, {
    code: 'labels-not-classes',
    next: 'Say what counts as 1, as in "above 15" behind the outcomes, or ask for rmse or mae.',
  })
}

function invalidOutcome(time: number): MillraceError {
  return new MillraceError(`The outcome of ${new Date(time).toISOString()} has a label or weight that is no number`, {
    code: 'outcome-invalid',
    next: 'Labels are numbers or flags, weights are numbers from 0 on.',
  })
}
