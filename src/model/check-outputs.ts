// What a model gives is believed only as far as its manifest promises: a row with anything else is refused, and the reason
// is kept, so that a wrong number is never stored or served.
import type { ModelOutput } from './artifact-manifest.ts'
import type { ModelRun, OutputColumn, OutputValue } from './model-session.ts'

/** Probabilities summed in 32 bits end a little above 1 (24 bits of mantissa): within this share of the range it is rounding. */
const ROUNDING_SHARE = 2 ** -20

/** Rounding beyond a bound is set to the bound. `refusals`: of the inputs; those of the outputs are added to them. */
export function checkOutputs(
  outputs: readonly ModelOutput[],
  columns: readonly OutputColumn[],
  refusals = new Map<number, string>(),
): ModelRun {
  const checked = outputs.map((output, index) => checkColumn(output, columns[index] ?? [], refusals))
  return { outputs: checked, refusals }
}

function checkColumn(output: ModelOutput, column: OutputColumn, refusals: Map<number, string>): OutputColumn {
  const { name, kind, classes } = output
  const refuse = (row: number, what: string): void =>
    void (refusals.has(row) || refusals.set(row, `${name} is ${what}`))
  const number = boundsOf(output)
  const known = new Set(classes)
  const check = (value: OutputValue, row: number): OutputValue => {
    if (typeof value === 'number' && kind !== 'label') return number(value, what => refuse(row, what))
    if (typeof value !== 'object') {
      if (typeof value === 'number' && !Number.isFinite(value)) refuse(row, `${value}`)
      if (known.size > 0 && !known.has(String(value)))
        refuse(row, `${JSON.stringify(value)}, which is none of its classes`)
      return value
    }
    const scores: Record<string, number> = {}
    for (const [each, score] of Object.entries(value)) {
      scores[each] = number(score, what => refuse(row, `${what} for ${each}`))
    }
    return scores
  }
  if (!(column instanceof Float64Array)) return column.map(check)
  return column.map((value, row) => number(value, what => refuse(row, what)))
}

/** The number as it may be stored; `refuse` is told what is wrong with it. */
function boundsOf({ range }: ModelOutput): (value: number, refuse: (what: string) => void) => number {
  const [least, greatest] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  const rounding = range === undefined ? 0 : (greatest - least) * ROUNDING_SHARE
  return (value, refuse) => {
    if (!Number.isFinite(value)) refuse(`${value}`)
    else if (value < least - rounding || value > greatest + rounding) {
      refuse(`${value}, outside ${least} to ${greatest}`)
    } else return Math.min(Math.max(value, least), greatest)
    return value
  }
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
