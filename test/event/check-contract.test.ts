import { describe, expect, expectTypeOf, it } from 'vitest'
import { event, type EventOptions } from '../../src/event/contract.ts'
import { DefinitionError } from '../../src/event/errors.ts'
import { choice, type Field, type NumberField, number, text } from '../../src/event/field.ts'
import { convert, move, replace, set, type UpgradeStep } from '../../src/event/upgrade-steps.ts'

type Fields = Readonly<Record<string, Field>>

const FIELDS: Fields = { amount: number({ path: 'sum.amount' }), total: number(), item: text() }

function visit(options: Partial<EventOptions<Fields>>) {
  return event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: FIELDS, ...options })
}

function upgrading(...steps: readonly UpgradeStep[]) {
  return visit({ version: { path: 'v', current: 2 }, upgrade: { 1: steps } })
}

const version = { path: 'v', current: 2 }

describe('a contract that cannot be right is refused before events flow', () => {
  it.each<readonly [what: string, define: () => unknown]>([
    ['optional and a default', () => visit({ fields: { a: number({ optional: true, default: 1 }) } })],
    ['optional and nullable', () => visit({ fields: { a: number({ optional: true, nullable: true }) } })],
    ['no word', () => visit({ fields: { a: choice() } })],
    ['a word twice', () => visit({ fields: { a: choice('x', 'x') } })],
    ['no word but the unknown one', () => visit({ fields: { a: choice(['x'], { unknown: 'x' }) } })],
    ['renamed of no field', () => visit({ renamed: { amout: ['sum'] } })],
    ['renamed of an inherited name', () => visit({ renamed: { valueOf: ['sum'] } })],
    ['renamed from nothing', () => visit({ renamed: { amount: [] } })],
    ['renamed from one path twice', () => visit({ renamed: { amount: ['a', 'a'] } })],
    ['renamed from nine paths', () => visit({ renamed: { amount: 'a b c d e f g h i'.split(' ') } })],
    ['renamed from what is no path', () => visit({ renamed: { amount: ['a..b'] } })],
    ['renamed from a prototype', () => visit({ renamed: { amount: ['a.__proto__'] } })],
    ['renamed from its own path', () => visit({ renamed: { amount: ['sum.amount'] } })],
    ['renamed from below its own path', () => visit({ renamed: { item: ['item.name'] } })],
    ["renamed from another field's path", () => visit({ renamed: { amount: ['total'] } })],
    ["renamed from another field's older path", () => visit({ renamed: { amount: ['old'], item: ['gone', 'old'] } })],
    ['an upgrade without a version', () => visit({ upgrade: { 1: [] } })],
    ['an upgrade of the current version', () => visit({ version, upgrade: { 2: [] } })],
    ['an upgrade of what is no version', () => visit({ version, upgrade: { 1.5: [] } })],
    ['a current version that is none', () => visit({ version: { path: 'v', current: Number.NaN } })],
    ['a version at no path', () => visit({ version: { path: '', current: 1 } })],
    ['an absent version that is not read', () => visit({ version: { ...version, absent: 1 }, upgrade: { 0: [] } })],
    ['201 steps', () => upgrading(...Array.from({ length: 201 }, () => set('a', 1)))],
    ['a step by hand into a prototype', () => upgrading({ kind: 'set', path: 'constructor.x', value: 1 })],
    ['a move to the same place', () => move('a', 'a')],
    ['a move from no path', () => move('a b', 'c')],
    ['a move to no path', () => move('a', '__proto__')],
    ['times 0', () => convert('a', 0)],
    ['times NaN', () => convert('a', Number.NaN)],
    ['a replacement of nothing', () => replace('a', {})],
    ['a replacement by Infinity', () => replace('a', { x: Number.POSITIVE_INFINITY })],
    ['a set of NaN', () => set('a', Number.NaN)],
  ])('%s', (_what, define) => {
    expect(define).toThrow(DefinitionError)
  })

  it('and what is beside it is taken', () => {
    expect(visit({ renamed: { amount: ['sum', 'amount', 'sum.amounts'], item: ['items'] } }).renamed).toBeDefined()
    expect(visit({ renamed: { amount: 'a b c d e f g h'.split(' ') } }).renamed).toBeDefined()
    expect(visit({ version: { ...version, absent: 2 } }).upgrade).toBeUndefined()
    expect(upgrading(...Array.from({ length: 200 }, () => set('a', 1))).version).toEqual(version)
    expect(visit({ fields: { a: number({ default: 1, nullable: true }) } }).fields).toBeDefined()
  })

  it('and TypeScript knows which fields may be renamed', () => {
    type Renamed = NonNullable<EventOptions<{ readonly amount: NumberField }>['renamed']>
    expectTypeOf<keyof Renamed>().toEqualTypeOf<'amount'>()
  })
})
