import { describe, expect, it } from 'vitest'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import type { PinnedPredictor } from '../../src/predictions/predictor.ts'
import { inputShares } from '../../src/replay/input-shares.ts'

type Score = (values: FeaturesBody['values']) => number | undefined

function predictorOf(score: Score): PinnedPredictor {
  return {
    predict: async bodies =>
      bodies.map(({ asOf, values }) => {
        const value = score(values)
        const prediction =
          value === undefined ? ({ status: 'not-ready' } as const) : ({ status: 'ok', value: { y: value } } as const)
        return { predictions: { asOf, models: { m: prediction } }, models: { m: 'b' } }
      }),
  }
}

const number = (value: unknown): number => Number(value ?? 0)
const moved = { body: { asOf: 0, values: { a: 0, b: 0, c: 1 } }, inputs: ['a', 'b'].map(input => ({ input, to: 1 })) }

describe('inputShares', () => {
  it('add up where inputs do something only together, and share it alike', async () => {
    const shares = await inputShares(
      'm',
      moved,
      predictorOf(({ a, b }) => number(a) * number(b)),
    )
    expect(shares).toEqual([
      { input: 'a', effects: { y: 0.5 } },
      { input: 'b', effects: { y: 0.5 } },
    ])
  })

  it('are the effects themselves where inputs do not meet, with the values that did not move as they are', async () => {
    const shares = await inputShares(
      'm',
      moved,
      predictorOf(({ a, b, c }) => 3 * number(a) - number(b) + number(c)),
    )
    expect(shares?.map(({ effects }) => effects['y'])).toEqual([3, -1])
  })

  it('are one share where one input moved, and none where the model has no value on the way', async () => {
    const alone = { ...moved, inputs: moved.inputs.slice(0, 1) }
    expect(
      await inputShares(
        'm',
        alone,
        predictorOf(({ a }) => number(a)),
      ),
    ).toEqual([{ input: 'a', effects: { y: 1 } }])
    const refuses: Score = ({ a, b }) => (number(a) === 1 && number(b) === 0 ? undefined : 1)
    expect(await inputShares('m', moved, predictorOf(refuses))).toBeUndefined()
  })
})
