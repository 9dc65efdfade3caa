import { describe, expect, it } from 'vitest'
import { embeddedMetrics } from '../../localstack/embedded-metrics.ts'
import { measured, measuredBatches } from '../../localstack/function-metrics.ts'
import { eventOf, mapRecord } from '../../localstack/mapped-record.ts'
import { localMetrics, type MetricName } from '../../localstack/metrics.ts'
import { streamMetrics } from '../../localstack/stream-metrics.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const METRIC: MetricName = { namespace: 'N', name: 'm', dimensions: { a: '1', b: '2' } }
const EVER = [0, Number.MAX_SAFE_INTEGER] as const

describe('localMetrics', () => {
  it('sums up by minute, whatever the order of dimensions and of values', () => {
    const metrics = localMetrics()
    metrics.record(METRIC, 5, MINUTE_MS + 1)
    metrics.record({ ...METRIC, dimensions: { b: '2', a: '1' } }, -1, 2 * MINUTE_MS - 1)
    metrics.record(METRIC, 7, 2 * MINUTE_MS)
    metrics.record(METRIC, 1, 0)
    metrics.record({ ...METRIC, dimensions: { a: '1' } }, 100, 0)
    expect(metrics.minutes(METRIC, MINUTE_MS, 3 * MINUTE_MS)).toEqual([
      { atMs: MINUTE_MS, sum: 4, count: 2, min: -1, max: 5 },
      { atMs: 2 * MINUTE_MS, sum: 7, count: 1, min: 7, max: 7 },
    ])
    expect(metrics.minutes(METRIC, ...EVER)).toHaveLength(3)
    expect(metrics.minutes(METRIC, 0, MINUTE_MS)).toHaveLength(1)
  })

  it('forgets what is older than a day', () => {
    const metrics = localMetrics()
    metrics.record(METRIC, 1, 0)
    metrics.record(METRIC, 1, DAY_MS)
    expect(metrics.minutes(METRIC, ...EVER)).toHaveLength(2)
    metrics.record(METRIC, 1, DAY_MS + MINUTE_MS)
    metrics.record(METRIC, 1, 0)
    expect(metrics.minutes(METRIC, ...EVER).map(({ atMs }) => atMs)).toEqual([DAY_MS, DAY_MS + MINUTE_MS])
  })

  it('is bounded, and keeps the newest', () => {
    const metrics = localMetrics(100)
    const series = (index: number): MetricName => ({ ...METRIC, name: `m${index % 10}` })
    for (let index = 0; index < 1000; index++) metrics.record(series(index), 1, index * MINUTE_MS)
    const kept = Array.from({ length: 10 }, (_, index) => metrics.minutes(series(index), ...EVER)).flat()
    expect(kept.length).toBeLessThanOrEqual(100)
    expect(kept.length).toBeGreaterThan(50)
    expect(Math.max(...kept.map(({ atMs }) => atMs))).toBe(999 * MINUTE_MS)
    const many = localMetrics(100)
    for (let index = 0; index < 1000; index++) many.record({ ...METRIC, name: `m${index}` }, 1, 0)
    expect(many.minutes({ ...METRIC, name: 'm999' }, ...EVER)).toHaveLength(1)
  })
})

describe('embeddedMetrics', () => {
  const line = (changes: object): string =>
    JSON.stringify({
      _aws: {
        Timestamp: 1234,
        CloudWatchMetrics: [
          { Namespace: 'Millrace', Dimensions: [['service', 'function'], ['owner']], Metrics: [{ Name: 'folded' }] },
        ],
      },
      service: 'shop',
      function: 'recompute',
      folded: 3,
      ...changes,
    })

  it('finds each value under each set of dimensions that has values', () => {
    expect(embeddedMetrics(line({ folded: [3, 4] }))).toEqual(
      [3, 4].map(value => ({
        metric: { namespace: 'Millrace', name: 'folded', dimensions: { service: 'shop', function: 'recompute' } },
        value,
        atMs: 1234,
      })),
    )
    expect(embeddedMetrics(line({ owner: 'ana' }))).toHaveLength(2)
  })

  it.each([
    ['a line of the log', 'hello'],
    ['JSON of something else', '{"level":"INFO"}'],
    ['a line that is torn', line({}).slice(0, -5)],
    ['no time', line({ _aws: { CloudWatchMetrics: [] } })],
    ['no list', line({ _aws: { Timestamp: 1, CloudWatchMetrics: 'x' } })],
    ['a value that is none', line({ folded: 'three' })],
    ['a metric without a value', line({ folded: undefined })],
  ])('finds nothing in %s', (_name, text) => {
    expect(embeddedMetrics(text)).toEqual([])
  })
})

describe('what Lambda measures', () => {
  const source = { streamArn: 'arn', shard: 'shardId-0', roleArn: 'role', region: 'us-east-1' }
  const record = (arrivalMs: number, partitionKey = 'user') =>
    mapRecord({ sequence: '1', partitionKey, dataBase64: '', arrivalMs }, source)
  const named = (name: string): MetricName => ({
    namespace: 'AWS/Lambda',
    name,
    dimensions: { FunctionName: 'shop-dev-recompute' },
  })

  it('is how invocations end, and how long they take', async () => {
    const metrics = localMetrics()
    let nowMs = 0
    const outcomes = [
      { kind: 'returned', payload: 'null' },
      { kind: 'failed', errorType: 'Error', errorMessage: 'x' },
      { kind: 'not-invoked', errorType: 'TooManyRequestsException', errorMessage: 'x' },
    ] as const
    for (const outcome of outcomes) {
      const invoke = () => Promise.resolve(void (nowMs += 250)).then(() => outcome)
      expect(await measured('shop-dev-recompute', invoke, { metrics, clock: () => nowMs })('{}')).toBe(outcome)
    }
    const sums = ['Invocations', 'Errors', 'Throttles', 'Duration'].map(
      name => metrics.minutes(named(name), ...EVER)[0]?.sum,
    )
    expect(sums).toEqual([2, 1, 1, 500])
  })

  it('is how old the last record of a batch is, whatever a key says', async () => {
    const metrics = localMetrics()
    const invoke = () => Promise.resolve({ kind: 'returned', payload: 'null' } as const)
    const deliver = measuredBatches('shop-dev-recompute', invoke, { metrics, clock: () => 20_000 })
    await deliver(eventOf([record(1000), record(15_500, '"approximateArrivalTimestamp":1,')]))
    await deliver('{"no":"batch"}')
    expect(metrics.minutes(named('IteratorAge'), ...EVER)).toMatchObject([{ max: 4500, count: 1 }])
  })
})

describe('what Kinesis measures', () => {
  const incoming: MetricName = {
    namespace: 'AWS/Kinesis',
    name: 'IncomingRecords',
    dimensions: { StreamName: 'events' },
  }
  const body = (value: object): Buffer => Buffer.from(JSON.stringify(value))
  const entry = { PartitionKey: '"PartitionKey":x', Data: 'AA==' }

  it.each([
    ['records by the name of their stream', 'PutRecords', { Records: [entry, entry], StreamName: 'events' }, 2],
    ['a record by the ARN', 'PutRecord', { ...entry, StreamARN: 'arn:aws:kinesis:r:a:stream/events' }, 1],
    ['many, wherever the name stands', 'PutRecords', { StreamName: 'events', Records: Array(500).fill(entry) }, 500],
  ])('are %s', (_name, operation, value, records) => {
    const metrics = localMetrics()
    streamMetrics(metrics, () => 0)(`Kinesis_20131202.${operation}`, body(value))
    expect(metrics.minutes(incoming, ...EVER)).toMatchObject([{ sum: records }])
  })

  it('are no reads, and nothing of another stream', () => {
    const metrics = localMetrics()
    streamMetrics(metrics, () => 0)('Kinesis_20131202.GetRecords', body({ StreamName: 'events' }))
    streamMetrics(metrics, () => 0)('Kinesis_20131202.PutRecord', body({ ...entry, StreamName: 'others' }))
    expect(metrics.minutes(incoming, ...EVER)).toEqual([])
  })
})
