// Drift as people read it: what has moved, worst first, and how many cannot be told.
import { PSI_MOVED, type Reading } from '../model/psi.ts'
import type { ColumnDrift, ModelDrift } from './drift.ts'

/** Those that somebody should look at, and those that nobody can say of; for people, worst first. */
export function driftLines(models: readonly ModelDrift[]): readonly string[] {
  return models.flatMap(({ model, batchId, owner, inputs, outputs }) => {
    const columns = [...inputs.map(each => ['input', each] as const), ...outputs.map(each => ['output', each] as const)]
    const moved = columns.filter(([, { psi, reading }]) => psi !== null && psi >= PSI_MOVED && reading !== 'too-few')
    const count = (reading: Reading): number => columns.filter(([, each]) => each.reading === reading).length
    const [unknown, few] = [count('unknown'), count('too-few')]
    const counts = [
      `${count('steady')} as in training`,
      `${moved.length} moved`,
      ...(few === 0 ? [] : [`${few} of too few users to say`]),
      ...(unknown === 0 ? [] : [`${unknown} unknown`]),
    ]
    return [
      `Drift of ${model} ${batchId} (owner ${owner}), inputs and outputs: ${counts.join(', ')}`,
      ...moved
        .toSorted(([, a], [, b]) => (b.psi ?? 0) - (a.psi ?? 0))
        .map(([what, each]) => `  ${columnLine(what, each)}`),
    ]
  })
}

function columnLine(
  what: string,
  { name, psi, reading, missingShare, missingShareInTraining, mean, meanInTraining }: ColumnDrift,
): string {
  const means = mean === null || meanInTraining === null ? '' : `, mean ${short(mean)}, was ${short(meanInTraining)}`
  const missing = `missing ${percent(missingShare)}, was ${percent(missingShareInTraining)}`
  const word = reading === 'moved-much' ? 'moved much' : 'moved'
  return `${what} ${name}: ${word}, PSI ${(psi ?? 0).toFixed(3)}; ${missing}${means}`
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)))
}

function percent(value: number | null): string {
  return value === null ? 'unknown' : `${(value * 100).toFixed(1)} %`
}
