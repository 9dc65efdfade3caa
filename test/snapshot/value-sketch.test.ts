import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { distributionOf, type NumberDistribution, type Value } from '../../src/model/distribution.ts'
import { movedBetween } from '../../src/model/psi.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { valueSketch } from '../../src/snapshot/value-sketch.ts'

const number = fc.oneof(
  fc.integer({ min: -50, max: 50 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
  fc.constant(null),
)
const texts = fc.oneof(fc.constantFrom('web', 'app', 'shop'), fc.boolean(), fc.constant(null))

function sketched(kind: 'number' | 'category', values: readonly Value[]) {
  const sketch = valueSketch(kind)
  for (const value of values) sketch.add(value)
  return sketch
}

describe('two sketches are one by addition', () => {
  it.each([
    ['number', number],
    ['category', texts],
  ] as const)('%s', (kind, value: fc.Arbitrary<Value>) => {
    fc.assert(
      fc.property(fc.array(value), fc.array(value), (a, b) => {
        const merged = sketched(kind, a)
        merged.merge(sketched(kind, b).plain())
        const whole = sketched(kind, [...a, ...b])
        const [one, other] = [merged, whole].map(each => each.distribution())
        const mean = (each: typeof one): number => (each?.kind === 'number' ? each.mean : 0)
        expect(mean(one)).toBeCloseTo(mean(other), 3)
        expect({ ...one, mean: 0 }).toEqual({ ...other, mean: 0 })
      }),
    )
  })
})

describe('a sketch of numbers', () => {
  it('has deciles that came, within a twentieth, and says exactly how many are at most each', () => {
    const random = seededRandom(5)
    const values = Array.from({ length: 5_000 }, () => Math.round(Math.exp(random() * 8) * 100) / 100)
    const found = sketched('number', values).distribution() as NumberDistribution
    const exact = distributionOf(values, 'number') as NumberDistribution
    expect(found).toMatchObject({ count: 5_000, missing: 0, min: exact.min, max: exact.max })
    for (const [index, decile] of found.deciles.entries()) {
      expect(values).toContain(decile)
      expect(found.atMost?.[index]).toBe(values.filter(value => value <= decile).length)
      expect(decile).toBeGreaterThanOrEqual(exact.deciles[index] ?? Number.NaN)
      expect(decile).toBeLessThanOrEqual((exact.deciles[index] ?? Number.NaN) * 1.06)
    }
  })

  it('orders negative numbers, zero and positive ones', () => {
    const found = sketched('number', [-100, -1, -0.5, 0, 0, 0.5, 1, 100, 200, 300]).distribution()
    expect(found).toMatchObject({ min: -100, max: 300, deciles: [-100, -1, -0.5, 0, 0, 0.5, 1, 100, 200] })
  })

  it('is missing what is null or NaN, and empty where all is', () => {
    expect(sketched('number', [null, Number.NaN, 1]).distribution()).toMatchObject({ count: 3, missing: 2 })
    expect(sketched('number', [null]).distribution()).toEqual({ kind: 'empty', count: 1, missing: 1 })
  })

  it('tells one that moved from one that did not', () => {
    const values = Array.from({ length: 2_000 }, (_, index) => index % 97)
    const same = sketched('number', values).distribution()
    const moved = sketched(
      'number',
      values.map(value => value + 60),
    ).distribution()
    expect(movedBetween(same, same)).toEqual({ psi: 0, reading: 'steady' })
    expect(movedBetween(same, moved).reading).toBe('moved-much')
  })
})

describe('a sketch of categories', () => {
  it('has no text of a user, and flags by their names', () => {
    const plain = JSON.stringify([
      sketched('category', ['ana@example.org', 'ana@example.org']).plain(),
      sketched('category', ['ana@example.org']).distribution(),
    ])
    expect(plain).not.toContain('ana')
    expect(sketched('category', [true, false, true]).distribution()).toMatchObject({ values: { true: 2, false: 1 } })
  })

  it('takes as much memory for a million texts as for a thousand, and counts all of them', () => {
    const sketch = sketched(
      'category',
      Array.from({ length: 5_000 }, (_, index) => `text-${index}`),
    )
    const found = sketch.distribution()
    expect(found.count).toBe(5_000)
    expect(JSON.stringify(sketch.plain()).length).toBeLessThan(25_000)
  })
})
