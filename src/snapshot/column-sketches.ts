// A sketch of each column of the snapshot: features by their names, and what models answer as `churn.score`. It is what tomorrow's
// snapshot is held against.
import type { Column } from '../catalog/columns.ts'
import type { Distribution, Value } from '../model/distribution.ts'
import { UNKNOWN, type Moved, movedBetween } from '../model/psi.ts'
import type { EvaluatedUser } from '../predictions/evaluated-user.ts'
import { outputAnswer } from './output-answer.ts'
import { type PlainSketch, type ValueSketch, valueSketch } from './value-sketch.ts'

const KINDS: Readonly<Record<string, PlainSketch['kind']>> = {
  double: 'number',
  string: 'category',
  boolean: 'category',
}

export class ColumnSketches {
  /** By feature. Lists and objects have none. */
  readonly #features = new Map<string, ValueSketch>()
  /** By `model.output`, made when the first value comes. */
  readonly #outputs = new Map<string, ValueSketch>()

  constructor(features: readonly Column[]) {
    for (const { name, type } of features) {
      const kind = KINDS[type]
      if (kind !== undefined) this.#features.set(name, valueSketch(kind))
    }
  }

  /** A feature that is not known yet is not counted: it is neither there nor missing. Of predictions those that were made. */
  add({ features, predictions }: Pick<EvaluatedUser, 'features' | 'predictions'>): void {
    const { values, pending = {} } = features
    for (const [name, sketch] of this.#features) {
      if (!Object.hasOwn(pending, name) && Object.hasOwn(values, name)) sketch.add(values[name] as Value)
    }
    for (const [model, { status, value }] of Object.entries(predictions.models)) {
      if (status !== 'ok' || value === undefined) continue
      for (const [output, answer] of Object.entries(value)) {
        const one = outputAnswer(answer)
        this.#output(`${model}.${output}`, typeof one === 'number' ? 'number' : 'category').add(one)
      }
    }
  }

  merge(plain: Readonly<Record<string, PlainSketch>>): void {
    for (const [name, sketch] of Object.entries(plain)) {
      const own = this.#features.get(name) ?? this.#output(name, sketch.kind)
      own.merge(sketch)
    }
  }

  plain(): Readonly<Record<string, PlainSketch>> {
    return Object.fromEntries(this.#all().map(([name, sketch]) => [name, sketch.plain()]))
  }

  distributions(): Readonly<Record<string, Distribution>> {
    return Object.fromEntries(this.#all().map(([name, sketch]) => [name, sketch.distribution()]))
  }

  #all(): (readonly [string, ValueSketch])[] {
    return [...this.#features, ...this.#outputs]
  }

  #output(name: string, kind: PlainSketch['kind']): ValueSketch {
    const known = this.#outputs.get(name)
    if (known !== undefined) return known
    const made = valueSketch(kind)
    this.#outputs.set(name, made)
    return made
  }
}

export interface ColumnMoved extends Moved {
  readonly name: string
  readonly missingShare: number | null
  readonly missingShareBefore: number | null
}

/** Of every column of today; one that was not there before is unknown. */
export function columnsMoved(
  before: Readonly<Record<string, Distribution>>,
  now: Readonly<Record<string, Distribution>>,
): readonly ColumnMoved[] {
  return Object.entries(now).map(([name, distribution]) => {
    const earlier = Object.hasOwn(before, name) ? before[name] : undefined
    const moved = earlier === undefined ? UNKNOWN : movedBetween(earlier, distribution)
    return { name, ...moved, missingShare: missing(distribution), missingShareBefore: missing(earlier) }
  })
}

function missing(distribution: Distribution | undefined): number | null {
  return distribution === undefined || distribution.count === 0 ? null : distribution.missing / distribution.count
}
