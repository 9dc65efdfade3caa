// What each moved input did to a prediction: inputs are moved one after the other, in many orders, and each has the mean of its own
// steps. So the shares add up to the whole move, which the effects of single inputs do not (Shapley values by sampling: Štrumbelj and
// Kononenko, "Explaining prediction models and individual predictions with feature contributions", 2014).
import type { FeaturesBody, FeatureValue } from '../features/features-body.ts'
import { type Random, seededRandom } from '../platform/random.ts'
import { outputNumbers } from '../predictions/output-numbers.ts'
import type { PinnedPredictor } from '../predictions/predictor.ts'

export interface MovedInput {
  readonly input: string
  readonly to: FeatureValue
}

export interface InputShare {
  readonly input: string
  /** Output name → how much of its move is this input's. */
  readonly effects: Readonly<Record<string, number>>
}

/** Each is taken forwards and backwards, which halves the noise. */
const ORDERS = 32
const SEED = 1

/** Undefined where the model has no value somewhere on the way. */
export async function inputShares(
  model: string,
  { body, inputs }: { readonly body: FeaturesBody; readonly inputs: readonly MovedInput[] },
  predictor: PinnedPredictor,
): Promise<readonly InputShare[] | undefined> {
  const orders = sampledOrders(inputs, seededRandom(SEED))
  const predicted = await predictor.predict(orders.flatMap(order => steps(body, order)))
  const effects = new Map(inputs.map(({ input }) => [input, new Map<string, number>()]))
  const valueOf = (row: number): Readonly<Record<string, number>> | undefined => {
    const value = predicted[row]?.predictions.models[model]?.value
    return value === undefined ? undefined : outputNumbers(value)
  }
  let row = 0
  for (const order of orders) {
    let before = valueOf(row++)
    for (const { input } of order) {
      const after = valueOf(row++)
      if (before === undefined || after === undefined) return undefined
      for (const [output, value] of Object.entries(after)) {
        const own = effects.get(input)
        own?.set(output, (own.get(output) ?? 0) + (value - (before[output] ?? 0)) / orders.length)
      }
      before = after
    }
  }
  return inputs.map(({ input }) => ({ input, effects: Object.fromEntries(effects.get(input) ?? []) }))
}

/** The body as it is, and after each further input has moved. */
function steps(body: FeaturesBody, order: readonly MovedInput[]): FeaturesBody[] {
  const bodies = [body]
  let { values } = body
  for (const { input, to } of order) {
    values = { ...values, [input]: to }
    bodies.push({ ...body, values })
  }
  return bodies
}

function sampledOrders(inputs: readonly MovedInput[], random: Random): readonly (readonly MovedInput[])[] {
  if (inputs.length <= 1) return [inputs]
  return Array.from({ length: ORDERS }, () => shuffled(inputs, random)).flatMap(order => [order, order.toReversed()])
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items]
  for (let index = result.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1))
    const [a, b] = [result[index] as T, result[other] as T]
    result[index] = b
    result[other] = a
  }
  return result
}
