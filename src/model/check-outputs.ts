// What a model gives is believed only as far as its manifest promises: a row with anything else is refused, and the reason
// is kept, so that a wrong number is never stored or served.
import type { ModelOutput } from './artifact-manifest.ts'
import type { ModelRun } from './model-session.ts'

/** Probabilities summed in 32 bits end a little above 1 (24 bits of mantissa): within this share of the range it is rounding. */
const ROUNDING_SHARE = 2 ** -20

/** Rounding beyond a bound is set to the bound; `values` are changed in place and returned. */
export function checkOutputs(outputs: readonly ModelOutput[], values: readonly Float64Array[]): ModelRun {
  const refusals = new Map<number, string>()
  for (const [index, { name, range }] of outputs.entries()) {
    const ofOutput = values[index]
    if (ofOutput === undefined) continue
    const [least, greatest] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
    const rounding = range === undefined ? 0 : (greatest - least) * ROUNDING_SHARE
    for (const [row, value] of ofOutput.entries()) {
      if (!Number.isFinite(value)) {
        refusals.set(row, `${name} is ${value}`)
      } else if (value < least - rounding || value > greatest + rounding) {
        refusals.set(row, `${name} is ${value}, outside ${least} to ${greatest}`)
      } else {
        ofOutput[row] = Math.min(Math.max(value, least), greatest)
      }
    }
  }
  return { outputs: values, refusals }
}

/** 32-bit values have 6 to 9 significant digits; fewer bytes than the 17 of a 64-bit one, and what people expect to see. */
const DIGITS_FROM = 6
const DIGITS_TO = 9

/** The shortest decimal that is the same 32-bit value: 0.2 and not 0.20000000298023224. */
export function shortestFloat32(value: number): number {
  for (let digits = DIGITS_FROM; digits < DIGITS_TO; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return Number(value.toPrecision(DIGITS_TO))
}
