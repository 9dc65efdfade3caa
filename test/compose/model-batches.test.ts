// Which batch of a model a function says that it has: what it predicts with, or what its answer is about.
import { afterEach, expect, it, vi } from 'vitest'
import { recomputeEvents } from '../../src/compose/recompute-events.ts'
import { reportModels } from '../../src/compose/report-models.ts'
import { serveRequests } from '../../src/compose/serve-requests.ts'
import { createTelemetry } from '../../src/compose/telemetry.ts'
import type { Predictor } from '../../src/predictions/predictor.ts'
import { StoreError } from '../../src/store/errors.ts'
import { gatewayEvent } from '../fakes/http-gateway.ts'
import { countingPredictor, harness, orderRecord, ordersOf, rawRecord } from '../recompute/harness.ts'
import { lambdaEvent, recordingTelemetry } from './recording.ts'

const OLD = '20251231080000-7h3k9c2m'
const NEW = '20260101093000-00000000'
const environment = { streamEpoch: 1 }

function predictorOf(batches: string[]): Predictor {
  const answers = countingPredictor([])
  const next = (): string => batches.shift() ?? 'none left'
  return {
    ...answers,
    predict: async bodies => {
      const models = { churn: next() }
      return (await answers.predict(bodies)).map(each => ({ ...each, models }))
    },
    production: async () => ({ churn: next() }),
  }
}

async function recompute(batches: string[], records = ordersOf(2)) {
  const telemetry = recordingTelemetry()
  const { dependencies, users } = harness({ predictor: predictorOf(batches) })
  await recomputeEvents(lambdaEvent(records), { dependencies, environment, telemetry })
  return { telemetry, users, dependencies }
}

async function serve(view: string, query: Record<string, string>, predictor: Predictor) {
  const { dependencies, users } = await recompute([OLD], [orderRecord(1, 1)])
  const telemetry = recordingTelemetry()
  const { compiled } = dependencies
  const answer = serveRequests({ compiled, users, predictor, clock: () => Date.now(), telemetry })
  const pathParameters = { userId: 'ana' }
  const { statusCode } = await answer(gatewayEvent({ route: `/users/{userId}${view}`, pathParameters, query }))
  return { statusCode, reported: telemetry.counts.get('modelBatch{churn}') }
}

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

it('recompute says what it predicted with, once an invocation', async () => {
  const { telemetry } = await recompute([OLD])
  expect(telemetry.counts.get('modelBatch{churn}')).toBe(20251231080000)
})

it('recompute says nothing where it predicted for nobody', async () => {
  const { telemetry } = await recompute([OLD], [rawRecord('{', 1)])
  expect([...telemetry.counts.keys()].filter(key => key.startsWith('modelBatch'))).toEqual([])
})

it('recompute says it where no user could be written', async () => {
  const telemetry = recordingTelemetry()
  const { dependencies, users } = harness({ predictor: predictorOf([NEW]) })
  const error = new StoreError('throttled', { code: 'store-unavailable', retriable: true })
  users.fault = ({ operation }) => (operation === 'put' ? { throwBefore: error } : undefined)
  await recomputeEvents(lambdaEvent([orderRecord(1, 1)]), { dependencies, environment, telemetry })
  expect(telemetry.counts.get('modelBatch{churn}')).toBe(20260101093000)
})

it('serve says what is in production where its answer is about that, and asks for nothing else', async () => {
  const answered = { statusCode: 200, reported: 20260101093000 }
  expect(await serve('', {}, predictorOf([NEW, NEW]))).toEqual(answered)
  expect(await serve('/predictions', {}, predictorOf([NEW, NEW]))).toEqual(answered)
  const silent = { statusCode: 200, reported: undefined }
  expect(await serve('/features', {}, predictorOf([NEW]))).toEqual(silent)
  expect(await serve('/predictions', { at: 'stored' }, predictorOf([NEW]))).toEqual(silent)
})

it('serve says nothing where the catalogue is down, and answers as it does without', async () => {
  const down = new StoreError('down', { code: 'store-unavailable', retriable: true })
  const predictor = { ...predictorOf([]), production: () => Promise.reject(down) }
  expect(await serve('/predictions', {}, predictor)).toEqual({ statusCode: 503, reported: undefined })
})

it('is a line of its own with the dimension model, of the second of the batch; what is no batch ID is left out', () => {
  const lines: string[] = []
  vi.stubEnv('POWERTOOLS_DEV', 'true')
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false')
  vi.spyOn(console, 'log').mockImplementation((line: unknown) => void lines.push(String(line)))
  const models = { churn: NEW, spend: OLD, odd: 'b1' }
  expect(reportModels(models, createTelemetry('shop', 'serve'))).toBe(models)
  const printed = lines.map(line => JSON.parse(line) as Record<string, unknown>)
  expect(printed).toMatchObject([
    { service: 'shop', function: 'serve', model: 'churn', modelBatch: 20260101093000 },
    { service: 'shop', function: 'serve', model: 'spend', modelBatch: 20251231080000 },
  ])
  const text = JSON.stringify(printed[0]?.['_aws'])
  expect(text).toContain('["service","function","model"]')
  expect(text).toContain('{"Name":"modelBatch","Unit":"None"}')
})
