// Sums of integers at a scale: numbers up to 2^53 − 1, decimal strings beyond, never rounded.
import type { Slot } from './aggregator.ts'

export type ExactInteger = number | string

export function addExact(a: Slot, b: Slot): ExactInteger {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    // Two safe integers whose sum is safe too were added without rounding.
    if (Number.isSafeInteger(sum)) return sum
  }
  return exactInteger(toBigInt(a) + toBigInt(b))
}

/** value², of a safe integer. */
export function squareExact(value: number): ExactInteger {
  const square = value * value
  return Number.isSafeInteger(square) ? square : exactInteger(BigInt(value) ** 2n)
}

export function exactInteger(value: bigint): ExactInteger {
  const isSafe = value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER)
  return isSafe ? Number(value) : value.toString()
}

export function toBigInt(value: Slot | undefined): bigint {
  return typeof value === 'number' || typeof value === 'string' ? BigInt(value) : 0n
}
