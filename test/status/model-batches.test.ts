// Which batch of a model each function has, from the printed metric to the line of the status.
import { expect, it } from 'vitest'
import { reportModels } from '../../src/compose/report-models.ts'
import { MINUTE_MS } from '../../src/platform/duration.ts'
import { modelLine } from '../../src/status/judge-models.ts'
import { MODEL_TAKEN_UP_MAX_MS } from '../../src/status/limits.ts'
import { functionBatches, modelBatchQueries } from '../../src/status/model-batches.ts'
import type { FunctionBatches, ModelReading } from '../../src/status/readings.ts'
import { recordingTelemetry } from '../compose/recording.ts'
import { NOW_MS } from './readings-factory.ts'

const NEW = '20260102120005-f2cr961d'
const NEW_NUMBER = 20_260_102_120_005
const OLD_NUMBER = 20_250_102_120_005
const AT_MS = NOW_MS - MODEL_TAKEN_UP_MAX_MS - 10 * MINUTE_MS

function line(...batches: readonly FunctionBatches[]) {
  const entry = { batchId: NEW, kind: 'commit', at: AT_MS, who: 'ana' }
  const model = { name: 'churn', owner: 'ana', production: { value: entry }, batches: { value: batches } }
  return modelLine(model as unknown as ModelReading, NOW_MS)
}

const batch = (key: string, oldest: number, newest: number, atMs: number): FunctionBatches => ({
  key: key as FunctionBatches['key'],
  atMs,
  oldest,
  newest,
})

it('prints the time of each batch, with its model, and nothing of what is no batch ID', () => {
  const telemetry = recordingTelemetry()
  const models = { churn: NEW, odd: 'b1' }
  expect(reportModels(models, telemetry)).toBe(models)
  expect([...telemetry.counts]).toEqual([['modelBatch{churn}', NEW_NUMBER]])
})

it('asks for the least and the greatest of both functions, and reads the newest minute', () => {
  expect(modelBatchQueries('shop', 'churn').map(({ statistic, dimensions }) => [statistic, dimensions])).toEqual(
    ['recompute', 'serve'].flatMap(key =>
      ['Minimum', 'Maximum'].map(statistic => [statistic, { service: 'shop', function: key, model: 'churn' }]),
    ),
  )
  const points = (...values: number[]) => values.map((value, index) => ({ atMs: index * MINUTE_MS, value }))
  expect(functionBatches([points(1, 2), points(1, 3), [], []])).toEqual([batch('recompute', 2, 3, MINUTE_MS)])
})

it('is well where every function has what is in production, or did not ask since', () => {
  const both = line(
    batch('recompute', NEW_NUMBER, NEW_NUMBER, NOW_MS - MINUTE_MS),
    batch('serve', NEW_NUMBER, NEW_NUMBER, NOW_MS - MINUTE_MS),
  )
  expect(both).toMatchObject({ verdict: 'well' })
  expect(both.text).toContain('recompute and serve have it')
  const silent = line(batch('serve', OLD_NUMBER, OLD_NUMBER, AT_MS - 10 * MINUTE_MS))
  expect(silent).toMatchObject({ verdict: 'well' })
  expect(silent.text).toContain('serve did not ask it since')
})

it('is unwell where a function goes on with another after some minutes, and names both ways out', () => {
  const behind = line(batch('recompute', OLD_NUMBER, OLD_NUMBER, NOW_MS - MINUTE_MS))
  expect(behind).toMatchObject({ verdict: 'unwell' })
  expect(behind.text).toContain(`recompute has ${OLD_NUMBER} still`)
  expect(behind.next).toContain('millrace table rollback models.churn production')
  const some = line(batch('recompute', OLD_NUMBER, NEW_NUMBER, NOW_MS - MINUTE_MS))
  expect(some.text).toContain('in some containers')
})

it('gives a function some minutes to take a batch up', () => {
  expect(line(batch('recompute', OLD_NUMBER, OLD_NUMBER, AT_MS + MINUTE_MS))).toMatchObject({ verdict: 'well' })
})
