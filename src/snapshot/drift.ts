// What models are asked and what they answer tonight, against what their papers say of their training: counted while the snapshot goes
// through everybody, into the bins of the papers, so that a million users take the memory of one.
import type { ModelInput, ModelOutput } from '../model/artifact-manifest.ts'
import type { Distribution, Value } from '../model/distribution.ts'
import type { ModelSession } from '../model/model-session.ts'
import { type Moved, movedTo, type Reading, UNKNOWN } from '../model/psi.ts'
import { BinCounter, type BinCounts, binsOf } from '../model/psi-bins.ts'
import type { EvaluatedUser } from '../predictions/evaluated-user.ts'
import { outputAnswer } from './output-answer.ts'

export interface ColumnDrift {
  readonly name: string
  /** Against training. Null: unknown, because the papers have no distribution, or nobody was counted. */
  readonly psi: number | null
  readonly reading: Reading
  /** Of those counted; null where nobody was. */
  readonly missingShare: number | null
  /** Null: unknown. */
  readonly missingShareInTraining: number | null
  /** Of numbers that are there; null where there are none, or where it is no number. */
  readonly mean: number | null
  readonly meanInTraining: number | null
  readonly counted: number
}

export interface ModelDrift {
  readonly model: string
  readonly batchId: string
  readonly owner: string
  readonly inputs: readonly ColumnDrift[]
  readonly outputs: readonly ColumnDrift[]
  /** The greatest of the known ones that are not `too-few`; null where none is known. */
  readonly inputPsi: number | null
  readonly outputPsi: number | null
}

/** What one worker has counted of one model: numbers only, one list for each input and output. */
export interface PlainDrift {
  readonly model: string
  readonly batchId: string
  readonly inputs: readonly BinCounts[]
  readonly outputs: readonly BinCounts[]
}

export type PinnedModel = Pick<ModelSession, 'name' | 'batchId' | 'manifest'>

export class DriftCounts {
  readonly #models: readonly CountedModel[]

  constructor(models: readonly PinnedModel[]) {
    this.#models = models.map(model => ({
      model,
      inputs: model.manifest.inputs.map(counterOf),
      outputs: model.manifest.outputs.map(counterOf),
    }))
  }

  /** A feature that is not known yet is not counted: it is neither there nor missing. Of predictions those that were made. */
  add({ features, predictions }: Pick<EvaluatedUser, 'features' | 'predictions'>): void {
    const { values, pending = {} } = features
    for (const { model, inputs, outputs } of this.#models) {
      for (const [index, { name }] of model.manifest.inputs.entries()) {
        if (Object.hasOwn(pending, name) || !Object.hasOwn(values, name)) continue
        inputs[index]?.add(scalar(values[name]))
      }
      const prediction = Object.hasOwn(predictions.models, model.name) ? predictions.models[model.name] : undefined
      if (prediction?.status !== 'ok' || prediction.batchId !== model.batchId) continue
      for (const [index, { name }] of model.manifest.outputs.entries()) {
        const value = prediction.value?.[name]
        if (value !== undefined) outputs[index]?.add(outputAnswer(value))
      }
    }
  }

  plain(): readonly PlainDrift[] {
    const numbers = ({ counts, sum }: BinCounts): BinCounts => ({ counts: [...counts], sum })
    return this.#models.map(({ model, inputs, outputs }) => ({
      model: model.name,
      batchId: model.batchId,
      inputs: inputs.map(numbers),
      outputs: outputs.map(numbers),
    }))
  }

  /** As if what another worker has counted by the same papers had come here. */
  merge(drift: readonly PlainDrift[]): void {
    for (const { model, inputs, outputs } of this.#models) {
      const other = drift.find(each => each.model === model.name && each.batchId === model.batchId)
      for (const [index, counter] of inputs.entries()) mergeInto(counter, other?.inputs[index])
      for (const [index, counter] of outputs.entries()) mergeInto(counter, other?.outputs[index])
    }
  }

  /** One for each model; `ownerOf` says who is told of it. */
  report(ownerOf: (model: string) => string | undefined): readonly ModelDrift[] {
    return this.#models.map(({ model: { name, batchId, manifest }, ...counted }) => {
      const inputs = manifest.inputs.map((input, index) => columnDrift(input, counted.inputs[index]))
      const outputs = manifest.outputs.map((output, index) => columnDrift(output, counted.outputs[index]))
      const owner = ownerOf(name) ?? manifest.owner
      return { model: name, batchId, owner, inputs, outputs, inputPsi: greatest(inputs), outputPsi: greatest(outputs) }
    })
  }
}

interface CountedModel {
  readonly model: PinnedModel
  readonly inputs: readonly BinCounter[]
  readonly outputs: readonly BinCounter[]
}

function mergeInto(counter: BinCounter, other: BinCounts | undefined): void {
  if (other !== undefined) counter.merge(other)
}

/** Without papers it counts how many are there all the same. */
const NOTHING: Distribution = { kind: 'empty', count: 0, missing: 0 }

function counterOf({ distribution = NOTHING }: ModelInput | ModelOutput): BinCounter {
  return new BinCounter(binsOf(distribution))
}

function columnDrift(
  { name, distribution }: ModelInput | ModelOutput,
  counter = new BinCounter(binsOf(NOTHING)),
): ColumnDrift {
  const counted = counter.counts.reduce((sum, count) => sum + count, 0)
  const missing = counter.counts.at(-1) ?? 0
  const moved: Moved = distribution === undefined ? UNKNOWN : movedTo(distribution, counter)
  return {
    name,
    ...moved,
    missingShare: share(missing, counted),
    missingShareInTraining: distribution === undefined ? null : share(distribution.missing, distribution.count),
    mean: distribution?.kind === 'number' ? share(counter.sum, counted - missing) : null,
    meanInTraining: distribution?.kind === 'number' ? distribution.mean : null,
    counted,
  }
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

function greatest(columns: readonly ColumnDrift[]): number | null {
  const known = columns.flatMap(({ psi, reading }) => (psi === null || reading === 'too-few' ? [] : [psi]))
  return known.length === 0 ? null : Math.max(...known)
}

function scalar(value: unknown): Value {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' ? value : null
}
