// How often the laws of features are tried. `npm test` is short; the long mode is
// `MILLRACE_PROPERTY_RUNS=10000 npx vitest run test/features/laws`. A failing run prints its seed and path; `MILLRACE_PROPERTY_SEED=…`
// tries the same ones again.
import type { Parameters } from 'fast-check'

const RUN_MS_MAX = 100
const SHORT_MS_MAX = 60_000

const longRuns = process.env['MILLRACE_PROPERTY_RUNS']
const seed = process.env['MILLRACE_PROPERTY_SEED']

/** For `fc.assert`; `shortRuns` in `npm test`. */
export function propertyRuns<T>(shortRuns: number): Parameters<T> {
  return {
    numRuns: longRuns === undefined ? shortRuns : Number(longRuns),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  }
}

/** For `it`. */
export const PROPERTY_MS_MAX =
  longRuns === undefined ? SHORT_MS_MAX : Math.max(SHORT_MS_MAX, Number(longRuns) * RUN_MS_MAX)
