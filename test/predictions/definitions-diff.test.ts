import { describe, expect, it } from 'vitest'
import { event } from '../../src/event/contract.ts'
import { choice, number } from '../../src/event/field.ts'
import { count, ratio, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { add, divide } from '../../src/features/derived.ts'
import type { Feature } from '../../src/features/feature.ts'
import { model } from '../../src/model/define.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { describePipeline } from '../../src/predictions/definitions.ts'
import { diffDefinitions, isEmptyDiff } from '../../src/predictions/definitions-diff.ts'
import { pipeline, type PipelineOptions } from '../../src/predictions/pipeline.ts'
import { order, visit } from '../features/factories.ts'

type Set = Readonly<Record<string, Feature>>

const shop = (set: Set, options: Partial<PipelineOptions<never>> = {}) =>
  describePipeline(compilePipeline(pipeline({ name: 'shop', features: features(set), models: [], ...options })))

const diff = (before: Set, after: Set) => diffDefinitions(shop(before), shop(after)).features

describe('the difference of two definitions', () => {
  it('is none where there is none', () => {
    const set = { a: count(order), b: add('a', 1) }
    expect(isEmptyDiff(diffDefinitions(shop(set), shop(set)))).toBe(true)
  })

  it('tells added and dropped features', () => {
    const { added, dropped, changed, renamed } = diff({ a: count(order) }, { b: count(visit) })
    expect([added, dropped].map(list => list.map(({ name }) => name))).toEqual([['b'], ['a']])
    expect([changed, renamed]).toEqual([[], []])
  })

  it('tells a name that changed from a definition that did, each once', () => {
    const before = { old: count(order), twin: count(order), kept: count(visit) }
    const after = { fresh: count(order), kept: count(visit), other: sum(order, 'amount') }
    const { added, dropped, renamed } = diff(before, after)
    expect(renamed.map(({ from, to }) => [from, to])).toEqual([['old', 'fresh']])
    expect(added.map(({ name }) => name)).toEqual(['other'])
    expect(dropped.map(({ name }) => name)).toEqual(['twin'])
  })

  it.each<readonly [string, Feature, Feature, readonly string[]]>([
    ['a window', count(order, { within: '30d' }), count(order, { within: '90d' }), ['within 30d → 90d']],
    ['no window', count(order, { within: '30d' }), count(order), ['within 30d → the whole life']],
    [
      'a filter',
      count(order),
      count(order, { where: { gift: true } }),
      ['where nothing → [{"field":"gift","operator":"is","value":true}]'],
    ],
    ['a field', sum(order, 'amount'), sum(order, 'points'), ['field amount → points', 'scale 2 → 0']],
    [
      'groups',
      count(order),
      count(order, { by: 'channel', keys: 4 }),
      ['by nothing → {"field":"channel","keysMax":4,"type":"choice"}'],
    ],
    ['an aggregate', count(order), sum(order, 'amount'), ['count(order.placed) → sum(order.placed, amount)']],
    [
      'a part of a ratio',
      ratio(count(order, { within: '1d' }), count(order)),
      ratio(count(order, { within: '2d' }), count(order)),
      ['numerator.within 1d → 2d'],
    ],
    ['an expression', add(count(order), 1), add(count(order), 2), ['add(count, 1) → add(count, 2)']],
  ])('says in words what changed of a feature: %s', (_, before, after, words) => {
    const { changed } = diff({ a: before }, { a: after })
    if (words[0]?.startsWith('count(') === true || words[0]?.startsWith('add(') === true)
      expect(changed).toMatchObject([{ words }])
    else expect(changed[0]?.words.filter(word => !word.startsWith('kind '))).toEqual(words)
  })

  it('says of a derived feature that what it names has changed', () => {
    const derived = { perDay: divide('orders', 30), other: add('perDay', 1) }
    const { changed } = diff(
      { orders: count(order, { within: '30d' }), ...derived },
      { orders: count(order, { within: '31d' }), ...derived },
    )
    expect(changed.map(({ name, words }) => [name, ...words])).toEqual([
      ['orders', 'within 30d → 31d'],
      ['other', 'a feature that it names is another one'],
      ['perDay', 'a feature that it names is another one'],
    ])
  })

  it('says what changed of a contract, and of the pipeline', () => {
    const contract = (changes: object) =>
      event('order.placed', {
        id: 'orderId',
        user: 'customer.id',
        time: 'placedAt',
        lateness: '6h',
        fields: { amount: number({ scale: 2 }), channel: choice('web', 'app') },
        ...changes,
      })
    const fields = { amount: number({ scale: 2, nullable: true }), from: choice('web', 'app', 'shop') }
    const parcel = event('parcel.sent', { id: 'id', user: 'user', time: 'at', lateness: '1d', fields: {} })
    const set = { visits: count(visit) }
    const before = shop(set, { events: [contract({})] })
    const after = shop(set, { events: [contract({ fields, lateness: '12h' }), parcel], itemBytesMax: 100_000 })
    const { contracts, pipeline: words, features: same } = diffDefinitions(before, after)
    expect(contracts).toEqual({
      added: ['parcel.sent'],
      dropped: [],
      changed: [
        {
          name: 'order.placed',
          words: [
            'lateness 6h → 12h',
            'fields.amount.nullable false → true',
            'fields.channel dropped',
            'fields.from added',
          ],
        },
      ],
    })
    expect(words).toEqual(['itemBytesMax 65536 → 100000'])
    expect(Object.values(same)).toEqual([[], [], [], []])
  })

  it('says what changed of a model: inputs, their order, their definitions, its owner', () => {
    const set = { a: count(order), b: count(visit), c: sum(order, 'amount') }
    const withModel = (changed: Set, inputs: readonly never[], owner = 'ana') => {
      const customer = features({ ...set, ...changed })
      const models = [model('churn', { from: customer, inputs, owner })]
      return describePipeline(compilePipeline(pipeline({ name: 'shop', features: customer, models })))
    }
    const words = (after: ReturnType<typeof withModel>) =>
      diffDefinitions(withModel({}, ['a', 'b'] as never), after).models.changed.flatMap(({ words: told }) => told)
    expect(words(withModel({}, ['b', 'a'] as never))).toEqual(['its inputs are in another order'])
    expect(words(withModel({}, ['a', 'c'] as never, 'ben'))).toEqual([
      'input added: c',
      'input dropped: b',
      'owner ana → ben',
    ])
    expect(words(withModel({ a: count(order, { within: '1d' }) }, ['a', 'b'] as never))).toEqual([
      'its input a is defined otherwise',
    ])
    expect(diffDefinitions(withModel({}, ['a'] as never), shop(set)).models.dropped).toEqual(['churn'])
  })
})
