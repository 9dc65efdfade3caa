import { describe, expect, it } from 'vitest'
import { count, last, ratio, recency } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { featureType } from '../../src/features/value-type.ts'
import { customer, order } from './factories.ts'

describe('featureType', () => {
  it('is that of the field for `last`, and a number for everything else', () => {
    const { features: defined } = features({
      channel: last(order, 'channel'),
      gift: last(order, 'gift'),
      amount: last(order, 'amount'),
      share: ratio(count(order, { where: { gift: true } }), count(order)),
      since: recency(order, { roundTo: '1h' }),
    })
    expect(Object.entries(defined).map(([name, feature]) => `${name}: ${featureType(feature)}`)).toEqual([
      'channel: text',
      'gift: flag',
      'amount: number',
      'share: number',
      'since: number',
    ])
    const texts = Object.entries(customer.features).filter(([, feature]) => featureType(feature) !== 'number')
    expect(texts.map(([name]) => name)).toEqual(['lastChannel'])
  })
})
