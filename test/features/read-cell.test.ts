// What few events bring about, and so no law: ties of keys outside the basic plane, and numbers beyond the doubles.
import { describe, expect, it } from 'vitest'
import { count, ratio, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { evaluateFeatures } from '../../src/features/evaluate.ts'
import { decayed, topK } from '../../src/features/parametric-aggregates.ts'
import { compileFeatures } from '../../src/features/plan.ts'
import { obviousFeatures } from '../../src/replay/obvious-features.ts'
import { contracts } from './arbitrary-events.ts'
import { orderEvent, START } from './factories.ts'
import { foldAll } from './fold-batches.ts'

const [order] = contracts
if (order === undefined) throw new Error('no contract')

const placed = (id: number, note: string, weight = 1) => orderEvent(id, START, { note, weight, gift: weight > 0 })

describe('topK', () => {
  const top = topK(order, 'note', { k: 4 })
  const heaviest = topK(order, 'note', { k: 3, sum: 'weight' })
  const set = features({ top, heaviest })
  const plan = compileFeatures(set)

  function topOf(events: readonly ReturnType<typeof placed>[]) {
    const { state, at } = foldAll([events], plan)
    const { values } = evaluateFeatures(plan, state, at, at)
    expect(values).toEqual(obviousFeatures(set, events, at))
    return values
  }

  it('puts the most first, and of as many the key that is lower by code point', () => {
    const notes = ['😀', '～', 'b', 'a', 'b', '10', '9']
    const { top: most } = topOf(notes.map((note, id) => placed(id, note)))
    expect(most).toEqual({
      exact: true,
      top: [
        { key: 'b', value: 2 },
        { key: '10', value: 1 },
        { key: '9', value: 1 },
        { key: 'a', value: 1 },
      ],
    })
    const { top: two } = topOf([placed(1, '😀'), placed(2, '～')])
    expect(two).toMatchObject({ top: [{ key: '～' }, { key: '😀' }] })
  })

  it('ranks by the sum, where that is beyond the doubles as the greatest of them', () => {
    const events = [placed(1, 'a', 1.7e308), placed(2, 'a', 1.7e308), placed(3, 'b', 5), placed(4, 'c', -1)]
    expect(topOf(events)['heaviest']).toEqual({
      exact: true,
      top: [
        { key: 'a', value: Number.MAX_VALUE },
        { key: 'b', value: 5 },
        { key: 'c', value: -1 },
      ],
    })
  })
})

describe('a number beyond the doubles', () => {
  it('is null, and so is what is made of it', () => {
    const tiny = sum(order, 'weight', { where: { gift: false } })
    const huge = sum(order, 'weight', { where: { note: 'huge' } })
    const set = features({
      huge,
      share: ratio(count(order), tiny),
      none: ratio(huge, count(order)),
      fading: decayed(order, { halfLife: '1d', sum: 'weight' }),
    })
    const plan = compileFeatures(set)
    const events = [placed(1, 'huge', 1.7e308), placed(2, 'huge', 1.7e308), placed(3, 'tiny', -5e-324)]
    const { state, at } = foldAll([events], plan)
    expect(evaluateFeatures(plan, state, at, at).values).toEqual({ huge: null, share: null, none: null, fading: null })
  })
})
