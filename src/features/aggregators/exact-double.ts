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
  // A mantissa that is a number has at most 53 bits: the product is a double.
  if (typeof mantissa === 'number') return mantissa * 2 ** Number(exponent)
  return nearestQuotient(toBigInt(mantissa), 1n, Number(exponent))
}

/** Bits of a quotient, one more at least than a double has and than its first may lack. */
const QUOTIENT_BITS = 64
const DOUBLE_BITS = 53
/** The smallest double is 2^this. */
const EXPONENT_MIN = -1074

/** numerator / denominator × 2^exponent as the nearest double, ties to even; infinite beyond the range of doubles. */
export function nearestQuotient(numerator: bigint, denominator: bigint, exponent = 0): number {
  if (numerator < 0n) return -nearestQuotient(-numerator, denominator, exponent)
  if (numerator === 0n) return 0
  const places = Math.max(0, QUOTIENT_BITS + bitsOf(denominator) - bitsOf(numerator))
  const dividend = numerator << BigInt(places)
  const quotient = dividend / denominator
  const isCut = dividend % denominator !== 0n
  // What a double has no place for, at its own end or at the end of all doubles.
  const surplus = BigInt(Math.max(bitsOf(quotient) - DOUBLE_BITS, EXPONENT_MIN - (exponent - places), 0))
  const kept = quotient >> surplus
  const twiceRest = (quotient - (kept << surplus)) << 1n
  const one = 1n << surplus
  const isUp = twiceRest > one || (twiceRest === one && (isCut || (kept & 1n) === 1n))
  return Number(isUp ? kept + 1n : kept) * 2 ** (exponent - places + Number(surplus))
}

function bitsOf(positive: bigint): number {
  return positive.toString(2).length
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
