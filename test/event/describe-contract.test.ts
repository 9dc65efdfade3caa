import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { event } from '../../src/event/contract.ts'
import { describeContract } from '../../src/event/describe-contract.ts'
import { choice, flag, number, text } from '../../src/event/field.ts'
import { convert, move, replace, set } from '../../src/event/upgrade-steps.ts'
import { canonicalJson } from '../../src/platform/canonical-json.ts'
import { order } from './order-payloads.ts'

const FULL = {
  id: 'orderId',
  user: 'customer.id',
  time: { path: 'at', unit: 's' },
  lateness: '6h',
  fields: {
    amount: number({ scale: 2, nullable: true }),
    channel: choice(['web', 'app'], { unknown: 'other' }),
    gift: flag({ default: false }),
    item: text({ path: 'line.item', optional: true }),
  },
  renamed: { amount: ['total', 'sum.total'] },
  version: { path: 'v', current: 2, absent: 1 },
  upgrade: { 1: [move('a', 'b'), convert('b', 0.01), replace('channel', { 1: 'web' }), set('gift', true)] },
  owner: 'ana',
  about: 'An order.',
} as const

describe('the description of a contract', () => {
  it('has everything that decides how an event is read, and its papers', () => {
    const none = { optional: false, nullable: false, default: null }
    expect(describeContract(event('order.placed', FULL))).toEqual({
      type: 'order.placed',
      id: 'orderId',
      user: 'customer.id',
      time: { path: 'at', unit: 's' },
      latenessMs: 21_600_000,
      fields: {
        amount: { ...none, kind: 'number', path: 'amount', scale: 2, nullable: true },
        channel: { ...none, kind: 'choice', path: 'channel', values: ['app', 'other', 'web'], unknown: 'other' },
        gift: { ...none, kind: 'flag', path: 'gift', default: false },
        item: { ...none, kind: 'text', path: 'line.item', optional: true },
      },
      renamed: { amount: ['total', 'sum.total'] },
      version: { path: 'v', current: 2, absent: 1 },
      upgrade: {
        1: [
          { kind: 'move', from: 'a', to: 'b' },
          { kind: 'convert', path: 'b', factor: 0.01 },
          { kind: 'replace', path: 'channel', values: { 1: 'web' } },
          { kind: 'set', path: 'gift', value: true },
        ],
      },
      owner: 'ana',
      about: 'An order.',
    })
  })

  it('is the same after JSON, without members that are undefined', () => {
    for (const contract of [order, event('order.placed', FULL)]) {
      const description = describeContract(contract)
      expect(JSON.parse(canonicalJson(description))).toStrictEqual(description)
    }
  })

  it('does not depend on the order of writing, nor on defaults that are written out', () => {
    const { fields, ...others } = FULL
    const shuffled = fc.shuffledSubarray(Object.entries(fields), { minLength: 4 })
    fc.assert(
      fc.property(shuffled, entries => {
        const channel = choice(['other', 'app', 'web'], { unknown: 'other', path: 'channel' })
        const again = event('order.placed', {
          fields: { ...Object.fromEntries(entries), channel },
          ...others,
        } as typeof FULL)
        expect(canonicalJson(describeContract(again))).toBe(
          canonicalJson(describeContract(event('order.placed', FULL))),
        )
      }),
      { numRuns: 20 },
    )
  })

  it.each<readonly [what: string, change: object]>([
    ['an older path', { renamed: { amount: ['total'] } }],
    ['the order of older paths', { renamed: { amount: ['sum.total', 'total'] } }],
    ['a version', { version: { path: 'v', current: 3, absent: 1 } }],
    ['a step', { upgrade: { 1: [move('a', 'b')] } }],
    ['a unit of time', { time: { path: 'at', unit: 'ms' } }],
    ['lateness', { lateness: '7h' }],
    ['a field', { fields: { ...FULL.fields, item: text({ path: 'line.item', nullable: true }) } }],
    ['a word', { fields: { ...FULL.fields, channel: choice(['web', 'fax'], { unknown: 'other' }) } }],
    ['the unknown word', { fields: { ...FULL.fields, channel: choice(['web', 'app', 'other'], { unknown: 'web' }) } }],
    ['the owner', { owner: 'ben' }],
  ])('tells of a change of %s', (_what, change) => {
    const changed = event('order.placed', { ...FULL, ...change } as typeof FULL)
    expect(describeContract(changed)).not.toEqual(describeContract(event('order.placed', FULL)))
  })
})
