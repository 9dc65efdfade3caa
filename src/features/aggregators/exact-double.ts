// Sums of doubles without rounding, in one canonical form: mantissa × 2^exponent with an odd mantissa, which every finite double and
// every sum of doubles is. It says what Shewchuk's expansion of the same sum says ("Adaptive Precision Floating-Point Arithmetic",
// 1997), but equal sums are equal bytes, and no sum overflows.
import type { Slot } from './aggregator.ts'
import { exactInteger, toBigInt } from './exact-integer.ts'

/** Two slots: [mantissa, exponent]; zero is [0, 0]. */
export type ExactDouble = readonly [Slot, Slot]

const ZERO: ExactDouble = [0, 0]
const bits = new DataView(new ArrayBuffer(8))

export function exactDouble(value: number): ExactDouble {
  if (Number.isSafeInteger(value)) return canonical(BigInt(value), 0)
  bits.setFloat64(0, value)
  const high = bits.getUint32(0)
  const biased = (high >>> 20) & 0x7ff
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(bits.getUint32(4))
  const magnitude = biased === 0 ? fraction : fraction | (1n << 52n)
  return canonical(high >>> 31 === 1 ? -magnitude : magnitude, Math.max(biased, 1) - 1075)
}

export function addDoubles([a, m]: ExactDouble, [b, n]: ExactDouble): ExactDouble {
  const [left, right] = [toBigInt(a), toBigInt(b)]
  if (left === 0n) return [b, n]
  if (right === 0n) return [a, m]
  const exponent = Math.min(Number(m), Number(n))
  return canonical((left << BigInt(Number(m) - exponent)) + (right << BigInt(Number(n) - exponent)), exponent)
}

export function squareDouble(value: number): ExactDouble {
  const [mantissa, exponent] = exactDouble(value)
  return canonical(toBigInt(mantissa) ** 2n, 2 * Number(exponent))
}

/** The nearest double; infinite beyond the range of doubles. */
export function nearestDouble([mantissa, exponent]: ExactDouble): number {
  return nearestOf(toBigInt(mantissa), Number(exponent))
}

/** mantissa × 2^exponent as the nearest double, ties to even; only below 2^-1022 it may be one unit off. */
export function nearestOf(mantissa: bigint, exponent: number): number {
  // Number(bigint) rounds once, to nearest; a power of two then is exact, taken in two steps where it alone would leave the range.
  const half = Math.trunc(exponent / 2)
  const digits = mantissa.toString(2).length
  const surplus = Math.max(0, digits - 1000)
  if (surplus === 0) return Number(mantissa) * 2 ** half * 2 ** (exponent - half)
  // Too long for a double by itself: what is cut off must still decide ties.
  const cut = mantissa >> BigInt(surplus)
  const sticky = cut << BigInt(surplus) === mantissa ? cut : cut | 1n
  return nearestOf(sticky, exponent + surplus)
}

/** Of a sum of doubles: the mantissa made odd. */
function canonical(mantissa: bigint, exponent: number): ExactDouble {
  if (mantissa === 0n) return ZERO
  const low = BigInt.asUintN(64, mantissa)
  const zeros = low === 0n ? 64 : trailingZeros(low)
  if (low === 0n) return canonical(mantissa >> 64n, exponent + 64)
  return [exactInteger(mantissa >> BigInt(zeros)), exponent + zeros]
}

function trailingZeros(value: bigint): number {
  const low = Number(value & 0xffffffffn)
  return low === 0 ? 32 + trailingZeros32(Number(value >> 32n)) : trailingZeros32(low)
}

function trailingZeros32(value: number): number {
  return 31 - Math.clz32(value & -value)
}
