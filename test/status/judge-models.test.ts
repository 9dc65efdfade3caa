import { expect, it } from 'vitest'
import { judge } from '../../src/status/judge.ts'
import { STATUS_LIMITS } from '../../src/status/limits.ts'
import type { FunctionBatches, ModelReading } from '../../src/status/readings.ts'
import { MINUTE_MS, NOW_MS, point, wellReadings } from './readings-factory.ts'

const OLD = 20251231080000
const NEW = 20260102090000
const NEWER = 20260102100000
const PRODUCTION = `${NEW}-7h3k9c2m in production for 3.0 h, by ana`
const PRODUCTION_MINUTES = 180

const said = (key: string, minutesAgo: number, oldest: number, newest = oldest): FunctionBatches => ({
  key,
  atMs: point(minutesAgo, 0).atMs,
  oldest,
  newest,
})

function lineOf(batches: ModelReading['batches']) {
  const entry = { number: 2, kind: 'commit', batchId: `${NEW}-7h3k9c2m`, who: 'ana', why: 'w', token: 't' } as const
  const production = { value: { ...entry, at: NOW_MS - PRODUCTION_MINUTES * MINUTE_MS } }
  const model = { name: 'churn', owner: 'ana', production, batches }
  return judge(wellReadings({ models: [model] }), STATUS_LIMITS).find(({ name }) => name === 'model.churn')
}

it.each<[string, readonly FunctionBatches[], string]>([
  ['nothing where nobody said anything', [], PRODUCTION],
  ['who has it', [said('recompute', 1, NEW), said('serve', 90, NEW)], `${PRODUCTION}; recompute and serve have it`],
  ['who alone has it', [said('serve', 1, NEW)], `${PRODUCTION}; serve has it`],
  [
    'who did not ask since',
    [said('recompute', 1, NEW), said('serve', 181, OLD)],
    `${PRODUCTION}; recompute has it; serve did not ask it since`,
  ],
  ['who may have another for a while', [said('serve', 176, OLD)], `${PRODUCTION}; serve has ${OLD} still`],
  [
    'who had both in the minute of the change',
    [said('serve', 180.5, OLD, NEW)],
    `${PRODUCTION}; serve has ${OLD} still in some containers`,
  ],
])('says %s, and is well', (_name, batches, text) => {
  expect(lineOf({ value: batches })).toMatchObject({ verdict: 'well', text })
})

it.each<[string, FunctionBatches, string]>([
  ['has another after five minutes', said('serve', 175, OLD), `serve has ${OLD} still`],
  ['has another in part', said('serve', 0, OLD, NEW), `serve has ${OLD} still in some containers`],
  ['has a newer one, after a rollback', said('serve', 0, NEWER), `serve has ${NEWER} still`],
  ['has a newer one in part', said('serve', 0, NEW, NEWER), `serve has ${NEWER} still in some containers`],
  ['has two others', said('serve', 0, OLD, NEWER), `serve has ${OLD} and ${NEWER} still`],
])('needs somebody where a function %s', (_name, batches, text) => {
  expect(lineOf({ value: [said('recompute', 0, NEW), batches] })).toMatchObject({
    verdict: 'unwell',
    text: `${PRODUCTION}; recompute has it; ${text}`,
    next: expect.stringMatching(/^look at the log of serve .*millrace table rollback models\.churn production BATCH/),
  })
})

it('names both functions where both are behind, and gives programs what each has', () => {
  const line = lineOf({ value: [said('recompute', 0, OLD), said('serve', 0, OLD, NEW)] })
  expect(line?.next).toContain('the log of recompute and serve')
  expect(line?.values).toMatchObject({
    batchId: `${NEW}-7h3k9c2m`,
    functions: { recompute: { batches: [`${OLD}`], atMs: NOW_MS }, serve: { batches: [`${OLD}`, `${NEW}`] } },
  })
})

it('says what is in production where what the functions have cannot be read, and is not well', () => {
  expect(lineOf({ problem: 'Nothing answers', next: 'Start it.' })).toMatchObject({
    verdict: 'unknown',
    text: `${PRODUCTION}; what the functions have cannot be read: Nothing answers`,
    next: 'Start it.',
  })
})
