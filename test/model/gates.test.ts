import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkGate, type Gate, gateLine, parseGate } from '../../src/model/gates.ts'

const performance = (...values: [string, string, number][]) =>
  values.map(([metric, slice, value]) => ({ metric, slice, value }))
const NOTHING = { production: undefined, staging: undefined }

const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: 0, max: 1e9 })
const quotable = fc.string({ minLength: 1, maxLength: 20 }).filter(text => !text.includes('"'))
const gates = fc.record({
  metric: fc.oneof(fc.constantFrom('auc', 'log_loss', 'log-loss', '_x.1'), quotable),
  slice: fc.option(fc.oneof(fc.constantFrom('all', '2024-01', 'hub=ORD'), quotable), { nil: undefined }),
  operator: fc.constantFrom('>=', '>', '<=', '<', '==' as const),
  reference: fc.oneof(number, fc.constantFrom('production' as const, 'staging' as const)),
  offset: fc.oneof(
    fc.constant(0),
    number,
    number.map(each => 0 - each),
  ),
  space: fc.constantFrom('', ' ', '  \t'),
})

describe('parseGate', () => {
  it('reads back whatever it was written from', () => {
    fc.assert(
      fc.property(gates, ({ metric, slice, operator, reference, offset, space }) => {
        const name = /^[A-Za-z_](?:[\w.-]*\w)?$/.test(metric) ? metric : `"${metric}"`
        const at = slice === undefined ? '' : `@${/^[\w.:=-]+$/.test(slice) ? slice : `"${slice}"`}${space}`
        const moved = offset === 0 ? '' : `${space}${offset < 0 ? '-' : '+'}${space}${Math.abs(offset)}`
        const text = `${space}${name}${space}${at}${operator}${space}${reference}${moved}${space}`
        const { metric: m, slice: s, operator: o, reference: r, offset: f } = parseGate(text)
        expect({ metric: m, slice: s, operator: o, reference: r, offset: f }).toEqual({
          metric,
          slice,
          operator,
          reference,
          offset,
        })
      }),
    )
  })

  it('either reads a text as finite numbers or refuses it, at once', () => {
    const words = fc.constantFrom(
      'auc',
      '@',
      'all',
      '>=',
      '<',
      '=',
      'production',
      'staging',
      '-',
      '+',
      '0.1',
      '1e999',
      '"',
      ' ',
      '9'.repeat(400),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words, { maxLength: 12 }).map(each => each.join('')),
        ),
        text => {
          let gate: Gate
          try {
            gate = parseGate(text)
          } catch (error) {
            expect(error).toMatchObject({
              code: 'gate-invalid',
              next: expect.stringContaining('auc >= production - 0.01'),
            })
            return
          }
          expect(Number.isFinite(gate.offset)).toBe(true)
          if (typeof gate.reference === 'number') expect(Number.isFinite(gate.reference)).toBe(true)
        },
      ),
      { numRuns: 1000 },
    )
  })

  it.each([
    '',
    'auc',
    'auc >= ',
    'auc => 1',
    'auc >= candidate',
    'auc >= production * 2',
    'auc >= 1 - -1',
    'a b > 1',
    'auc > 1e999',
    '"" > 1',
  ])('refuses %j', text => {
    expect(() => parseGate(text)).toThrow(expect.objectContaining({ code: 'gate-invalid' }))
  })
})

describe('checkGate', () => {
  const check = (text: string, candidate: number, production?: number) =>
    checkGate(parseGate(text), performance(['auc', 'December', candidate]), {
      ...NOTHING,
      production: production === undefined ? undefined : performance(['auc', 'December', production]),
    })

  it.each([
    ['auc >= production - 0.01', 0.72, 0.73, true],
    ['auc >= production - 0.01', 0.719, 0.73, false],
    ['auc > production', 0.73, 0.73, false],
    ['auc < production + 0.1', 0.8, 0.73, true],
    ['auc <= 0.5', 0.5, undefined, true],
    ['auc == 0.5', 0.6, undefined, false],
  ])('%s: %d against %s', (text, candidate, production, holds) => {
    expect(check(text, candidate, production).holds).toBe(holds)
  })

  it('holds a number exactly as numbers compare, up to noise in the last digits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1000 }),
        fc.integer({ min: 0, max: 1000 }),
        fc.integer({ min: 0, max: 100 }),
        (a, b, by) => {
          const [candidate, production, offset] = [a / 1000, b / 1000, by / 1000]
          expect(check(`auc >= production - ${offset}`, candidate, production).holds).toBe(a >= b - by)
          expect(check(`auc < production + ${offset}`, candidate, production).holds).toBe(a < b + by)
          expect(check(`auc >= ${offset}`, candidate).holds).toBe(a >= by)
        },
      ),
    )
  })

  it('holds where nothing is there to be worse than, and says so', () => {
    const result = check('auc >= production', 0.1)
    expect(result).toMatchObject({ holds: true, bound: undefined })
    expect(gateLine(result)).toBe('auc >= production: nothing is there to compare with, holds')
    expect(gateLine(check('auc >= production - 0.01', 0.7, 0.73))).toBe(
      'auc >= production - 0.01: 0.7 against 0.72, does not hold',
    )
  })

  it('takes the slice that is named, the only one, or `all`, and says which there are otherwise', () => {
    const sliced = performance(['auc', 'all', 0.8], ['auc', '2024-01', 0.6], ['log loss', 'x', 0.3])
    const value = (text: string) => checkGate(parseGate(text), sliced, NOTHING).value
    expect(value('auc > 0')).toBe(0.8)
    expect(value('auc@2024-01 > 0')).toBe(0.6)
    expect(value('"log loss" < 1')).toBe(0.3)
    expect(() => value('auc@2024-02 > 0')).toThrow(/auc on 2024-02; they have auc@all, auc@2024-01/)
    expect(() => value('f1 > 0')).toThrow(expect.objectContaining({ code: 'gate-metric' }))
    const production = { ...NOTHING, production: [] }
    expect(() => checkGate(parseGate('auc > production'), sliced, production)).toThrow(
      /what is in production do not say auc/,
    )
  })
})
