// What two versions say of the same people: how many are told something else, whether they come in the same order, and who moved most. A
// row that one of the two cannot answer is left out and counted.
import { type InputRow, inputRow } from './diff-rows.ts'
import { InputRows } from './model-inputs.ts'
import type { ModelSession, OutputValue } from './model-session.ts'
import { rankCorrelation } from './rank-correlation.ts'

export interface Mover {
  /** Its place in the sample. */
  readonly row: number
  readonly before: number | string
  readonly now: number | string
}

export interface OutputDiff {
  /** `probability`; of scores each class: `risk.high`. */
  readonly name: string
  /** Of rows whose numbers differ by more than the tolerance, or whose labels differ. */
  readonly changedShare: number
  /** Spearman's; null of labels, and where all are equal. */
  readonly rankCorrelation: number | null
  readonly meanBefore: number | null
  readonly meanNow: number | null
  /** Greatest difference first; of labels some that changed. */
  readonly movers: readonly Mover[]
}

export interface PredictionsDiff {
  readonly rows: number
  readonly compared: number
  /** Why rows were left out → how many. */
  readonly leftOut: Readonly<Record<string, number>>
  readonly tolerance: number
  /** Of the outputs that both have. */
  readonly outputs: readonly OutputDiff[]
}

export interface PredictionsDiffOptions {
  readonly tolerance: number
  readonly moversMax: number
}

/** Throws what the runs throw. */
export async function diffPredictions(
  before: ModelSession,
  now: ModelSession,
  { rows, tolerance, moversMax }: PredictionsDiffOptions & { readonly rows: readonly InputRow[] },
): Promise<PredictionsDiff> {
  const [old, fresh] = [await answersOf(before, rows), await answersOf(now, rows)]
  const leftOut: Record<string, number> = {}
  const compared = rows.flatMap((_, row) => {
    const [was, is] = [old[row], fresh[row]]
    if (was?.values !== undefined && is?.values !== undefined) return [{ row, was: was.values, is: is.values }]
    const why = was?.why ?? is?.why ?? 'it has no answer'
    leftOut[why] = (leftOut[why] ?? 0) + 1
    return []
  })
  const names = Object.keys(compared[0]?.is ?? {}).filter(name => Object.hasOwn(compared[0]?.was ?? {}, name))
  const outputs = names.map(name => {
    const pairs = compared.map(({ row, was, is }) => ({
      row,
      before: was[name] ?? Number.NaN,
      now: is[name] ?? Number.NaN,
    }))
    return outputDiff(name, pairs, { tolerance, moversMax })
  })
  return { rows: rows.length, compared: compared.length, leftOut, tolerance, outputs }
}

function outputDiff(
  name: string,
  pairs: readonly Mover[],
  { tolerance, moversMax }: PredictionsDiffOptions,
): OutputDiff {
  const movers = pairs.filter(pair => distance(pair) > 0).toSorted((a, b) => distance(b) - distance(a) || a.row - b.row)
  const [before, now] = [pairs.map(pair => pair.before), pairs.map(pair => pair.now)]
  const areNumbers = isNumbers(before) && isNumbers(now)
  return {
    name,
    changedShare: movers.filter(pair => distance(pair) > tolerance).length / pairs.length,
    rankCorrelation: areNumbers ? rankCorrelation(before, now) : null,
    meanBefore: areNumbers ? mean(before) : null,
    meanNow: areNumbers ? mean(now) : null,
    movers: movers.slice(0, moversMax),
  }
}

/** Of labels there is no more and less: another one is as far as can be. */
function distance({ before, now }: Mover): number {
  if (typeof before === 'number' && typeof now === 'number') return Math.abs(now - before)
  return before === now ? 0 : Number.POSITIVE_INFINITY
}

function isNumbers(values: readonly (number | string)[]): values is readonly number[] {
  return values.every(value => typeof value === 'number')
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value / values.length, 0)
}

interface Answer {
  readonly values?: Readonly<Record<string, number | string>>
  readonly why?: string
}

async function answersOf(session: ModelSession, rows: readonly InputRow[]): Promise<readonly Answer[]> {
  const { inputs, outputs } = session.manifest
  const table = new InputRows(inputs, rows.length)
  const answers: Answer[] = rows.map(row => {
    const why = table.add(inputRow(row, inputs))
    return why === undefined ? {} : { why: `of ${session.batchId}: ${why}` }
  })
  const asked = answers.flatMap(({ why }, row) => (why === undefined ? [row] : []))
  if (asked.length === 0) return answers
  const run = await session.run(table.table())
  for (const [index, row] of asked.entries()) {
    const values = outputs.flatMap(({ name }, output) => flat(name, run.outputs[output]?.[index] ?? Number.NaN))
    const isRefused = run.refusals.has(index)
    answers[row] = isRefused ? { why: `${session.batchId} refuses them` } : { values: Object.fromEntries(values) }
  }
  return answers
}

function flat(name: string, value: OutputValue): (readonly [string, number | string])[] {
  if (typeof value !== 'object') return [[name, value]]
  return Object.entries(value).map(([each, score]) => [`${name}.${each}`, score] as const)
}
