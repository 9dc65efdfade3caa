// What the obvious implementation answers: the true value, and how far off the fold may be where the documentation allows an error.
import type { FeatureValue } from '../features/features-body.ts'

/** An answer may be off by the greater of the two; both 0 where the documentation says exact. */
export interface Allowance {
  /** Share of the true value. */
  readonly relative: number
  /** Infinity: what is so derived may be anything. */
  readonly absolute: number
  /** True values up to this are exact all the same. */
  readonly exactTo?: number
}

export interface Answer {
  readonly value: FeatureValue
  readonly allowance: Allowance
}

export const EXACT: Allowance = { relative: 0, absolute: 0 }
export const ANYTHING: Allowance = { relative: 0, absolute: Number.POSITIVE_INFINITY }

export function exact(value: FeatureValue): Answer {
  return { value, allowance: EXACT }
}

/** No answer is Infinity or −0: JSON has neither. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value + 0 : null
}

/** How far off a number may be whose true value this is. */
export function allowedOff(value: number, { relative, absolute, exactTo }: Allowance): number {
  if (exactTo !== undefined && Math.abs(value) <= exactTo) return 0
  return Math.max(absolute, relative * Math.abs(value))
}

/** What allows everything that one of them allows. */
export function widest(allowances: readonly Allowance[]): Allowance {
  const exactTo = Math.min(...allowances.map(allowance => allowance.exactTo ?? -1))
  return {
    relative: Math.max(0, ...allowances.map(({ relative }) => relative)),
    absolute: Math.max(0, ...allowances.map(({ absolute }) => absolute)),
    ...(exactTo >= 0 && Number.isFinite(exactTo) ? { exactTo } : {}),
  }
}
