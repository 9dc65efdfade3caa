// Whether the answer to a GET is that of a state which was committed while it was asked, evaluated at its instant.
import type { CompiledPipeline } from '../../src/predictions/compile-pipeline.ts'
import type { PredictionsBody } from '../../src/predictions/evaluated-user.ts'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import { featuresAt } from '../../src/serve/evaluate-user.ts'
import type { ApiGatewayResult } from '../../src/serve/api-gateway.ts'
import type { StoredItem } from '../../src/store/user-item.ts'
import { MODEL_INPUTS } from './definitions.ts'
import { answerOf, versionOf } from './model-versions.ts'

/** Beyond the longest window. */
const FRESH_LOOK_MS = 40 * 86_400_000

export interface AskedUser {
  readonly userId: string
  /** Those that were current at some moment between question and answer. */
  readonly versions: readonly StoredItem[]
  /** When the handler looked at its clock. */
  readonly atMs: number
  readonly compiled: CompiledPipeline
  readonly isDamaged: boolean
}

interface UserBody {
  readonly features: FeaturesBody
  readonly predictions: PredictionsBody
}

/** What is wrong with it. */
export function checkAnswer(answer: ApiGatewayResult, asked: AskedUser): string | undefined {
  if (answer.statusCode === 503) return undefined
  if (answer.statusCode === 404)
    return asked.versions.length > 0 && isOld(asked) ? 'it is there and was not found' : undefined
  if (answer.statusCode === 500 && asked.isDamaged) return undefined
  if (answer.statusCode !== 200) return `status ${answer.statusCode}: ${answer.body}`
  const text = answer.isBase64Encoded ? Buffer.from(answer.body, 'base64').toString() : answer.body
  const { features, predictions } = JSON.parse(text) as UserBody
  const isCommitted = asked.versions.some(item => {
    const expected = featuresAt(asked.compiled, item, asked.atMs)
    return JSON.stringify(expected.values) === JSON.stringify(features.values)
  })
  if (!isCommitted) return `no state that was committed gives ${JSON.stringify(features.values)}`
  return predictionProblem({ features, predictions })
}

/** The first write of a user may come after the read. */
function isOld({ versions }: AskedUser): boolean {
  return versions.some(({ v }) => v > 1)
}

/** Each prediction follows from the features beside it and from the version that it names, or says rightly that it cannot be. */
export function predictionProblem({ features, predictions }: UserBody): string | undefined {
  for (const [model, { status, batchId = '', value }] of Object.entries(predictions.models)) {
    const names = MODEL_INPUTS[model] ?? []
    const isPending = names.some(name => features.pending?.[name] !== undefined)
    if (status === 'no-model') continue
    if (status !== (isPending ? 'not-ready' : 'ok'))
      return `${model} is ${status}, its inputs ${isPending ? 'wait' : 'are there'}`
    const inputs = names.map(name => features.values[name] as number | null)
    const expected = answerOf(versionOf(batchId), inputs)
    if (status === 'ok' && value?.['score'] !== expected) {
      return `${model} answers ${JSON.stringify(value?.['score'])} and not ${expected} to ${JSON.stringify(inputs)}`
    }
  }
  return undefined
}

/** Whether what is stored is what would be evaluated, at instants until which it says to be fresh. */
export function freshnessProblem(
  item: StoredItem,
  { features }: UserBody,
  compiled: CompiledPipeline,
): string | undefined {
  if (item.definitions !== compiled.definitions) return undefined
  const untilMs = item.fresh ?? item.asOf + FRESH_LOOK_MS
  for (const instantMs of [item.asOf, Math.floor((item.asOf + untilMs) / 2), untilMs - 1]) {
    const now = featuresAt(compiled, item, instantMs)
    if (JSON.stringify([now.values, now.pending]) !== JSON.stringify([features.values, features.pending])) {
      return `what is stored as of ${item.asOf} is not so at ${instantMs}, and says to be until ${item.fresh ?? 'the next event'}`
    }
  }
  return undefined
}
