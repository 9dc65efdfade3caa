import { describe, expect, it } from 'vitest'
import { dollarsPerMillionEvents } from '../../src/store/prices.ts'

describe('an event costs', () => {
  it.each([
    [900, 0.625 + 0.125],
    [4 * 1024, 4 * 0.625 + 0.125],
    [20 * 1024, 20 * 0.625 + 5 * 0.125],
  ])('one read and one write of %i bytes: %f $ a million', (bytes, dollars) => {
    expect(dollarsPerMillionEvents(bytes)).toBeCloseTo(dollars, 6)
  })
})
