import { describe, expect, it } from 'vitest'
import { count, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { add, divide, multiply } from '../../src/features/derived.ts'
import { compileFeatures } from '../../src/features/plan.ts'
import { selectFeatures } from '../../src/features/select-features.ts'
import { order } from './factories.ts'

const set = features({
  spend: sum(order, 'amount', { within: '90d' }),
  orders: count(order, { within: '30d' }),
  perOrder: divide('spend', 'orders'),
  twice: multiply(add('perOrder', 'orders'), 2),
  other: count(order),
})

describe('selectFeatures', () => {
  it('has what is wanted and all that it names, however far round, and nothing else', () => {
    expect(Object.keys(selectFeatures(set, ['twice']).features).toSorted()).toEqual([
      'orders',
      'perOrder',
      'spend',
      'twice',
    ])
    expect(Object.keys(selectFeatures(set, ['other']).features)).toEqual(['other'])
  })

  it('leaves fingerprints as they are', () => {
    const fingerprint = (of: typeof set | ReturnType<typeof selectFeatures>) =>
      compileFeatures(of).features.find(({ name }) => name === 'twice')?.fingerprint
    expect(fingerprint(selectFeatures(set, ['twice']))).toBe(fingerprint(set))
  })
})
