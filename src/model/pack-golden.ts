// Golden rows for a model that comes without: made of the distributions that it was trained on, since real rows are somebody's. They are
// the same rows for the same papers.
import type { ModelInput } from './artifact-manifest.ts'
import type { Distribution } from './distribution.ts'
import { ModelError } from './errors.ts'

export type GoldenCell = number | string

const ROWS = 16
/** Of the golden ratio and its like: rows go through the deciles of each input at another pace, so that they are spread. */
const PACE = 0.618_033_988_749_894_9
const PACE_SHIFT = 0.754_877_666_246_692_7

/** Throws ModelError `golden-missing`. */
export function synthesiseRows(inputs: readonly ModelInput[]): GoldenCell[][] {
  const without = inputs.filter(({ distribution }) => distribution === undefined)
  if (without.length > 0) {
    throw new ModelError(
      `There are no rows to try the model on: nothing is known of ${without.map(({ name }) => name).join(', ')}`,
      {
        code: 'golden-missing',
        next: 'Give rows with --golden FILE, best with what the maker predicts for them, or distributions of the inputs in the papers.',
      },
    )
  }
  return Array.from({ length: ROWS }, (_, row) =>
    inputs.map((input, column) => cellAt(input, (row * PACE + (column + 1) * PACE_SHIFT + 1 / (ROWS * 2)) % 1)),
  )
}

/** `share`: from 0 to 1, how far into the distribution. */
function cellAt({ type, missing, distribution }: ModelInput, share: number): GoldenCell {
  const value = distribution === undefined ? undefined : valueAt(distribution, share)
  if (value === undefined) return missing
  if (type === 'flag') return value === 'true' ? 1 : 0
  return value
}

function valueAt(distribution: Distribution, share: number): GoldenCell | undefined {
  if (distribution.kind === 'empty') return undefined
  const isMissing = share < distribution.missing / Math.max(distribution.count, 1)
  if (isMissing) return undefined
  if (distribution.kind === 'number') {
    const points = [distribution.min, ...distribution.deciles, distribution.max]
    return points[Math.floor(share * points.length)]
  }
  const values = Object.keys(distribution.values)
  return values[Math.floor(share * values.length)]
}
