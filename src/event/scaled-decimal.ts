// Decimal numbers as exact integers at a scale, so that sums do not depend on the order of events. What counts is the decimal
// that people wrote, so 1.005 at scale 2 is 101, although the nearest double lies below 1.005.

const POWERS_OF_TEN = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const

/** Twice the error of a double times a power of ten: half a unit for the double itself, half for the product (IEEE 754). */
const PRODUCT_ERROR = 2 ** -51

/**
 * value × 10^scale, rounded half away from zero by the shortest decimal text of the value; undefined beyond 2^53 − 1.
 * The scale is 0 to 9, the value finite. A double tells any two decimals of 15 digits apart; of more, the parser kept the nearest.
 */
export function scaledInteger(value: number, scale: number): number | undefined {
  const product = value * (POWERS_OF_TEN[scale] ?? 10 ** scale)
  if (Number.isInteger(value)) return withinSafe(product)
  const fraction = Math.abs(product - Math.trunc(product))
  const isSideCertain = Math.abs(fraction - 0.5) > Math.abs(product) * PRODUCT_ERROR
  return isSideCertain ? withinSafe(Math.round(product)) : scaledByText(value, scale)
}

/** Adding 0 turns −0 into 0: both are the same number to whoever sent it, and must be the same bytes. */
function withinSafe(integer: number): number | undefined {
  return Number.isSafeInteger(integer) ? integer + 0 : undefined
}

/**
 * The product of two decimals as people wrote them, read as if upstream had written it: 1999 × 0.01 is 19.99. Undefined where a
 * double cannot hold it: beyond its range, or so small that it would be 0.
 */
export function decimalProduct(a: number, b: number): number | undefined {
  if (!Number.isFinite(a) || !Number.isFinite(b)) return undefined
  const [x, y] = [decimalOf(a), decimalOf(b)]
  const digits = x.digits * y.digits
  const product = Number(`${digits}e${x.exponent + y.exponent}`)
  return Number.isFinite(product) && (product !== 0 || digits === 0n) ? product : undefined
}

/** The few values so near a half that a double cannot tell the side. */
function scaledByText(value: number, scale: number): number | undefined {
  const { digits, exponent } = decimalOf(Math.abs(value))
  const shift = scale + exponent
  const magnitude = shift >= 0 ? digits * 10n ** BigInt(shift) : divideHalfUp(digits, 10n ** BigInt(-shift))
  return withinSafe(Math.sign(value) * Number(magnitude))
}

/** The shortest decimal text that is this double, as digits × 10^exponent. */
function decimalOf(value: number): { readonly digits: bigint; readonly exponent: number } {
  const [mantissa = '', exponent = '0'] = String(value).split('e')
  const [whole = '', places = ''] = mantissa.split('.')
  return { digits: BigInt(whole + places), exponent: Number(exponent) - places.length }
}

function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor)
}
