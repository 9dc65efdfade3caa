// The population stability index: how far a distribution has moved from the one that is expected. It is the sum over bins of
// (actual − expected) × ln(actual / expected) of their shares, which is Jeffreys' divergence: never negative, 0 for equal shares, and the
// same both ways round.
import { type Distribution, type NumberDistribution } from './distribution.ts'
import { type BinCounts, binsOf, countsInBins, sharedBins } from './psi-bins.ts'

/** A share of nothing has no logarithm: an empty bin counts as one in ten thousand, as most libraries have it. */
export const SHARE_MIN = 0.0001

const HALF_A_ROW = 0.5

/**
 * Rules of thumb of credit scoring: under the first, little has changed; over the second, much. N. Siddiqi, Credit Risk Scorecards, 2006;
 * B. Yurdakul and J. Naranjo, Statistical properties of the population stability index, Journal of Risk Model Validation, 2020.
 */
export const PSI_MOVED = 0.1
export const PSI_MOVED_MUCH = 0.25

/** Both are shares that sum up to 1, bin by bin. */
export function populationStabilityIndex(expected: readonly number[], actual: readonly number[]): number {
  return expected.reduce((sum, share, index) => {
    const [e, a] = [Math.max(share, SHARE_MIN), Math.max(actual[index] ?? 0, SHARE_MIN)]
    return sum + (a - e) * Math.log(a / e)
  }, 0)
}

export type Movement = 'steady' | 'moved' | 'moved-much'
/** `unknown`: nothing to compare with, or of another kind; `too-few`: so many would differ as much by chance. */
export type Reading = Movement | 'unknown' | 'too-few'

export interface Moved {
  /** Null: unknown. */
  readonly psi: number | null
  readonly reading: Reading
}

export const UNKNOWN: Moved = { psi: null, reading: 'unknown' }

/** Of two distributions, as manifests have them. */
export function movedBetween(expected: Distribution | undefined, actual: Distribution | undefined): Moved {
  if (expected === undefined || actual === undefined) return UNKNOWN
  const bins = sharedBins(expected, actual)
  const [before, now] = [countsInBins(expected, bins), countsInBins(actual, bins)]
  if (before === undefined || now === undefined) return UNKNOWN
  return moved(withDoubt(expected, before, now), now)
}

/** Of what was counted into the bins of the expected one. */
export function movedTo(expected: Distribution, { counts }: BinCounts): Moved {
  const before = countsInBins(expected, binsOf(expected))
  return before === undefined ? UNKNOWN : moved(withDoubt(expected, before, counts), counts)
}

function moved(before: readonly number[], now: readonly number[]): Moved {
  if (total(before) === 0 || total(now) === 0) return UNKNOWN
  const psi = populationStabilityIndex(sharesWithHalves(before, now), sharesWithHalves(now, before))
  const bins = before.filter((count, index) => count > 0 || (now[index] ?? 0) > 0).length
  const isChance = psi >= PSI_MOVED && psi <= psiByChance(bins, total(before), total(now))
  return { psi, reading: isChance ? 'too-few' : movement(psi) }
}

/**
 * An empty bin of a hundred rows is no proof that it holds less than one in ten thousand: it counts as half a row, where the other side
 * has any. From 5,000 rows on, the usual share is the greater one.
 */
function sharesWithHalves(counts: readonly number[], others: readonly number[]): readonly number[] {
  const all = total(counts)
  return counts.map((count, index) => (count === 0 && (others[index] ?? 0) > 0 ? HALF_A_ROW : count) / all)
}

export function movement(psi: number): Movement {
  if (psi < PSI_MOVED) return 'steady'
  return psi < PSI_MOVED_MUCH ? 'moved' : 'moved-much'
}

/** 0.95 of the normal distribution. */
const NORMAL_95 = 1.6449

/**
 * What 95 of 100 pairs of samples of one and the same population stay under: about (1/n + 1/m) × chi-squared of bins − 1 (Yurdakul and
 * Naranjo), whose quantile is Wilson and Hilferty's.
 */
export function psiByChance(bins: number, expectedCount: number, actualCount: number): number {
  const degrees = bins - 1
  if (degrees < 1) return 0
  const spread = 2 / (9 * degrees)
  const chiSquared = degrees * (1 - spread + NORMAL_95 * Math.sqrt(spread)) ** 3
  return chiSquared * (1 / expectedCount + 1 / actualCount)
}

export function sharesOf(counts: readonly number[]): readonly number[] | undefined {
  const all = total(counts)
  return all === 0 ? undefined : counts.map(count => count / all)
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

/**
 * Without counts at deciles, a value that comes often is known to a tenth only: where 0 is the first three deciles, 30 % to 40 % are 0. Of
 * all that may be, what is nearest to the actual is taken, so that what has not moved does not look as if it had.
 */
function withDoubt(expected: Distribution, before: readonly number[], now: readonly number[]): readonly number[] {
  if (expected.kind !== 'number' || expected.atMost !== undefined) return before
  const there = expected.count - expected.missing
  const nowThere = total(now.slice(0, -1))
  if (there === 0 || nowThere === 0) return before
  let [seen, last] = [0, 0]
  const counts = [...new Set(expected.deciles)].map((edge, index) => {
    seen += now[index] ?? 0
    const [low, high] = bounds(expected, edge)
    const atMost = Math.max(last, Math.min(Math.max(seen / nowThere, low), high))
    const count = (atMost - last) * there
    last = atMost
    return count
  })
  return [...counts, (1 - last) * there, expected.missing]
}

/** The least and the greatest share of values that may be at most the decile. */
function bounds({ deciles, min, max }: NumberDistribution, edge: number): readonly [number, number] {
  const tenths = deciles.length + 1
  const share = (deciles.lastIndexOf(edge) + 1) / tenths
  if (edge === max) return [1, 1]
  const isOften = edge === min || deciles.indexOf(edge) !== deciles.lastIndexOf(edge)
  return [share, isOften ? share + 1 / tenths : share]
}
