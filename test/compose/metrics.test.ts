// The metrics as they are printed, and that the page that documents them lists just those that the code knows.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { archiveEvents } from '../../src/compose/archive-events.ts'
import {
  type MetricDefinition,
  type MetricName,
  METRICS,
  metricDefinition,
} from '../../src/compose/metric-definitions.ts'
import { recomputeEvents } from '../../src/compose/recompute-events.ts'
import { reportAnswer } from '../../src/compose/report-answer.ts'
import { createTelemetry } from '../../src/compose/telemetry.ts'
import { event } from '../../src/event/contract.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { problem } from '../../src/serve/problem.ts'
import { toApiGateway } from '../../src/serve/api-gateway.ts'
import { StoreError } from '../../src/store/errors.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { customer, order, START, visit } from '../features/factories.ts'
import { harness, orderRecord, ordersOf, rawRecord } from '../recompute/harness.ts'
import { ROOT } from '../tidy/source-files.ts'
import { lambdaEvent, recordingTelemetry } from './recording.ts'

const environment = { streamEpoch: 1 }
const definitions: Readonly<Record<string, MetricDefinition>> = METRICS

describe('docs/metrics.md', () => {
  it('lists every metric with its unit and functions, in the order of the code', () => {
    // Without what only aligns the columns.
    const page = readFileSync(join(ROOT, 'docs', 'metrics.md'), 'utf8').replaceAll(/ +/g, ' ')
    const rows = page.matchAll(/^\| `([^`]+)` \| (\w+)(, also 0)? \| ([^|]+) \|/gm)
    const documented = [...rows].map(([, name, unit, isGauge, functions]) => ({ name, unit, isGauge, functions }))
    const known = Object.entries(definitions).map(([name, { unit, isGauge, functions }]) => ({
      name,
      unit,
      isGauge: isGauge === true ? ', also 0' : undefined,
      functions: functions.join(', '),
    }))
    expect(documented).toEqual(known)
  })

  it('names dimensions that the code has', () => {
    const text = readFileSync(join(ROOT, 'docs', 'metrics.md'), 'utf8')
    for (const { dimension } of Object.values(definitions)) {
      if (dimension !== undefined) expect(text).toContain(`with the dimension \`${dimension}\``)
    }
  })
})

describe('the table of metrics', () => {
  it('has no metric that nothing prints', () => {
    const folder = join(ROOT, 'src', 'compose')
    const files = readdirSync(folder).filter(file => file !== 'metric-definitions.ts')
    const code = files.map(file => readFileSync(join(folder, file), 'utf8')).join('\n')
    const tally = readFileSync(join(ROOT, 'src', 'recompute', 'tally.ts'), 'utf8')
    const isPrinted = (name: string): boolean =>
      name.endsWith('.*')
        ? code.includes(`\`${name.slice(0, -1)}\${`)
        : code.includes(`'${name}'`) || tally.includes(` ${name}:`)
    expect(Object.keys(METRICS).filter(name => !isPrinted(name))).toEqual([])
  })

  it('knows a family by any of its names, and nothing else', () => {
    expect(metricDefinition('deadLetter.not-json')).toBe(METRICS['deadLetter.*'])
    expect(metricDefinition('answer.503')).toBe(METRICS['answer.*'])
    expect(() => metricDefinition('user.ana' as MetricName)).toThrow('no metric')
  })
})

describe('recompute', () => {
  it('counts what became of each record, and letters by the owner of their contract', async () => {
    const owned = event('shop.closed', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {}, owner: 'ben' })
    const compiled = compilePipeline(
      pipeline({ name: 'shop', events: [order, visit, owned], features: customer, models: [] }),
    )
    const telemetry = recordingTelemetry()
    const closed = (id: string, at: string): unknown => ({ type: 'shop.closed', id, user: 'ana', at })
    const records = [
      orderRecord(1, 1),
      orderRecord(1, 2),
      rawRecord('{', 3),
      rawRecord(closed('a', 'yesterday'), 4),
      rawRecord(closed('b', new Date(START + 86_400_000).toISOString()), 5),
      orderRecord(2, 6, { ts: START + 999_999_999 }),
      { ...orderRecord(3, 7), arrivalMs: 0 },
    ]
    const { dependencies } = harness({ compiled })
    await recomputeEvents(lambdaEvent(records), { dependencies, environment, telemetry })
    expect(Object.fromEntries([...telemetry.counts].filter(([, value]) => value > 0))).toEqual({
      folded: 2,
      duplicate: 1,
      usersWritten: 1,
      'deadLetter.not-json': 1,
      'deadLetter.time-invalid': 1,
      'deadLetter.future': 2,
      'deadLetters{unowned}': 2,
      'deadLetters{ben}': 2,
      'prediction.ok': 1,
    })
  })

  it('writes down a few of many errors, and counts them all', async () => {
    const run = harness()
    run.users.fault = ({ operation }) =>
      operation === 'put'
        ? { throwBefore: new StoreError('throttled', { code: 'store-unavailable', retriable: true }) }
        : undefined
    const telemetry = recordingTelemetry()
    await recomputeEvents(lambdaEvent(ordersOf(25, 1)), { dependencies: run.dependencies, environment, telemetry })
    expect(telemetry.errors).toHaveLength(10)
    expect(Object.fromEntries(telemetry.counts)).toMatchObject({ failed: 25, retriableErrors: 25, errors: 15 })
  })
})

describe('archive', () => {
  it('counts what is archived and what is not', async () => {
    const telemetry = recordingTelemetry()
    const archive = memoryObjectStore()
    await archiveEvents(lambdaEvent(ordersOf(2)), { archive, environment, telemetry })
    expect(Object.fromEntries(telemetry.counts)).toEqual({
      recordsArchived: 10,
      recordsNotArchived: 0,
      retriableErrors: 0,
    })
  })
})

describe('an answer', () => {
  it('is counted by its status, and by where it came from', () => {
    const telemetry = recordingTelemetry()
    const stored = toApiGateway({ status: 200, headers: { 'millrace-source': 'stored' }, body: '{}' })
    expect(reportAnswer(stored, telemetry)).toBe(stored)
    reportAnswer(toApiGateway({ status: 200, headers: { 'millrace-source': 'evaluated' }, body: '{}' }), telemetry)
    reportAnswer(toApiGateway(problem('store-unavailable')), telemetry)
    expect(Object.fromEntries(telemetry.counts)).toEqual({
      'answer.200': 2,
      'answer.503': 1,
      answersStored: 1,
      answersEvaluated: 1,
    })
  })
})

describe('what is printed', () => {
  const lines: string[] = []
  beforeEach(() => {
    lines.length = 0
    vi.stubEnv('POWERTOOLS_DEV', 'true')
    vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false')
    for (const method of ['log', 'info', 'warn', 'error'] as const) {
      vi.spyOn(console, method).mockImplementation((line: unknown) => void lines.push(String(line)))
    }
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })
  const printed = (): Record<string, unknown>[] =>
    lines.map(line => JSON.parse(line) as Record<string, unknown>).filter(line => '_aws' in line)

  it('is one line an invocation, and one for each owner, each with its dimensions', () => {
    const telemetry = createTelemetry('shop', 'recompute')
    telemetry.count('folded', 3)
    telemetry.count('folded', 2)
    telemetry.count('failed', 0)
    telemetry.count('deadLetters', 0, { owner: 'cem' })
    telemetry.count('deadLetters', 2, { owner: 'ana' })
    telemetry.error(new Error('broken'))
    telemetry.flush()
    telemetry.flush()
    const [ofOwner, whole] = printed()
    expect(printed()).toHaveLength(2)
    expect(ofOwner).toMatchObject({ service: 'shop', function: 'recompute', owner: 'ana', deadLetters: 2 })
    expect(whole).toMatchObject({ service: 'shop', function: 'recompute', folded: [3, 2], errors: 1 })
    expect(whole).not.toHaveProperty('failed')
    expect(whole).not.toHaveProperty('owner')
    expect(JSON.stringify(ofOwner?.['_aws'])).toContain('["service","function","owner"]')
  })

  it('has the message of an error, what to do next and what is behind it', () => {
    const cause = new Error('ECONNRESET')
    const telemetry = createTelemetry('shop', 'recompute')
    telemetry.error(
      new StoreError('the table is slow', { code: 'store-unavailable', retriable: true, next: 'Wait.', cause }),
    )
    const [logged, ...more] = lines.map(line => JSON.parse(line) as Record<string, unknown>)
    expect(logged).toMatchObject({
      level: 'ERROR',
      message: 'the table is slow',
      code: 'store-unavailable',
      retriable: true,
      next: 'Wait.',
      cause: 'Error: ECONNRESET',
    })
    expect(more).toEqual([])
  })

  it('has a gauge at 0 too', () => {
    const telemetry = createTelemetry('shop', 'compact')
    telemetry.count('hoursLeft', 0)
    telemetry.count('hoursCompacted', 0)
    telemetry.flush()
    expect(printed()).toMatchObject([{ function: 'compact', hoursLeft: 0 }])
    expect(printed()[0]).not.toHaveProperty('hoursCompacted')
  })
})
