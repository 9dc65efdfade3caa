// Exact arithmetic for the obvious implementation: every number as a whole count of a unit, rounded once, to the nearest double.
// Slow, and nothing in it can round where it should not.

/** A number is `count / perOne`, exactly: units of the field's scale, or of the smallest double. */
export interface Units {
  readonly perOne: bigint
  readonly count: (value: number) => bigint
}

/** The smallest double is 2^−1074, and every double is a whole multiple of it. */
const SMALLEST_DOUBLE_PLACES = 1074
const MANTISSA_BITS = 53

export function unitsOf(scale: number | undefined): Units {
  if (scale !== undefined) return { perOne: 10n ** BigInt(scale), count: BigInt }
  return { perOne: 1n << BigInt(SMALLEST_DOUBLE_PLACES), count: smallestDoubles }
}

export function totalOf(numbers: readonly bigint[]): bigint {
  return numbers.reduce((total, number) => total + number, 0n)
}

/** The double that is nearest to the fraction, ties to the even one; ±Infinity beyond the greatest. The denominator is positive. */
export function nearestDouble(numerator: bigint, denominator: bigint): number {
  if (numerator < 0n) return -nearestDouble(-numerator, denominator)
  if (numerator === 0n) return 0
  // So many binary places that the quotient has 53 or 54 bits, but none beyond the smallest double.
  const wanted = MANTISSA_BITS + bits(denominator) - bits(numerator)
  for (const places of [wanted, wanted - 1]) {
    const quotient = rounded(numerator, denominator, Math.min(places, SMALLEST_DOUBLE_PLACES))
    if (quotient.count <= 1n << BigInt(MANTISSA_BITS)) return Number(quotient.count) * 2 ** -quotient.places
  }
  throw new RangeError('nearestDouble: a quotient of two numbers of so many bits has one bit more at most')
}

function rounded(numerator: bigint, denominator: bigint, places: number): { count: bigint; places: number } {
  const top = places >= 0 ? numerator << BigInt(places) : numerator
  const bottom = places >= 0 ? denominator : denominator << BigInt(-places)
  const below = top / bottom
  const twiceRest = 2n * (top % bottom)
  const isUp = twiceRest > bottom || (twiceRest === bottom && below % 2n === 1n)
  return { count: isUp ? below + 1n : below, places }
}

function bits(positive: bigint): number {
  return positive.toString(2).length
}

/** By the bits of a double: a fraction of 52 bits, with a 1 before it unless the number is one of the smallest. */
function smallestDoubles(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, Math.abs(value))
  const exponent = view.getBigUint64(0) >> 52n
  const fraction = view.getBigUint64(0) & 0xfffffffffffffn
  const count = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n)
  return value < 0 ? -count : count
}
