// How far a stream is: on an emulated stream, and with scripted answers what no emulator does (pages of shards, a shard that is
// behind, one that is closed, errors).
import { CreateStreamCommand, KinesisClient, waitUntilStreamExists } from '@aws-sdk/client-kinesis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinesisEventStreamWriter } from '../../src/event/kinesis-event-stream-writer.ts'
import { kinesisStreamTip } from '../../src/event/kinesis-stream-tip.ts'
import { type LocalAws, startLocalAws } from '../fakes/local-aws.ts'

const STREAM = 'events'

describe('the end of an emulated stream', () => {
  let aws: LocalAws
  beforeAll(async () => {
    aws = await startLocalAws()
    const { kinesis } = aws.clients
    await kinesis.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: 3 }))
    await waitUntilStreamExists(
      { client: kinesis, maxWaitTime: 20, minDelay: 0.1, maxDelay: 0.5 },
      { StreamName: STREAM },
    )
  })
  afterAll(() => aws.stop())

  it('is the last record of each shard that has one beyond what is known', async () => {
    const { kinesis } = aws.clients
    const tip = kinesisStreamTip({ client: kinesis, streamName: STREAM, sleep: async () => undefined })
    expect(await tip.read(new Map())).toEqual(new Map())
    const entries = Array.from({ length: 40 }, (_, index) => ({ partitionKey: `u${index}`, data: Buffer.from('x') }))
    const results = await kinesisEventStreamWriter(kinesis, STREAM).putRecords(entries)
    const last = new Map<string, string>()
    for (const result of results) if (result.outcome === 'put') last.set(result.shard, result.sequence)
    expect(last.size).toBe(3)
    expect([...(await tip.shards())].sort()).toEqual([...last.keys()].sort())
    expect(await tip.read(new Map())).toEqual(last)
    expect(await tip.read(last)).toEqual(new Map())
    const [shard, sequence] = [...last][0] ?? ['', '']
    const first = results.find(result => result.outcome === 'put' && result.shard === shard)
    const after = new Map([...last, [shard, first?.outcome === 'put' ? first.sequence : '']])
    expect(await tip.read(after)).toEqual(new Map([[shard, sequence]]))
    const missing = kinesisStreamTip({ client: kinesis, streamName: 'none', sleep: async () => undefined })
    await expect(missing.read(new Map())).rejects.toMatchObject({ name: 'EventStreamError', code: 'stream-missing' })
    await expect(missing.shards()).rejects.toMatchObject({ name: 'EventStreamError', code: 'stream-missing' })
  })
})

type Script = Readonly<Record<string, (body: Record<string, unknown>, call: number) => unknown>>

function scripted(script: Script) {
  const calls = new Map<string, number>()
  const bodies: Record<string, unknown>[] = []
  const waits: number[] = []
  const client = new KinesisClient({
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: { headers: Record<string, string>; body?: unknown }) => {
        const operation = (request.headers['x-amz-target'] ?? '').split('.').at(-1) ?? ''
        const call = (calls.get(operation) ?? 0) + 1
        calls.set(operation, call)
        const body = JSON.parse(String(request.body)) as Record<string, unknown>
        bodies.push({ operation, ...body })
        const answer = script[operation]?.(body, call) as { readonly __type?: string }
        const headers = { 'content-type': 'application/x-amz-json-1.1' }
        const statusCode = answer.__type === undefined ? 200 : 400
        return { response: { statusCode, headers, body: new Blob([JSON.stringify(answer)]).stream() } }
      },
    } as never,
  })
  const tip = kinesisStreamTip({ client, streamName: STREAM, sleep: async ms => void waits.push(ms) })
  return { tip, bodies, waits, calls }
}

const record = (SequenceNumber: string) => ({ SequenceNumber, Data: '', PartitionKey: 'u' })

describe('the end of a stream', () => {
  it('is read on while the shard is behind, also through empty answers, and asked for beyond what is known', async () => {
    const { tip, bodies, waits } = scripted({
      ListShards: () => ({ Shards: [{ ShardId: 'a' }] }),
      GetShardIterator: () => ({ ShardIterator: 'i0' }),
      GetRecords: (_, call) => ({
        Records: call === 2 ? [] : [record(`${call}`)],
        NextShardIterator: `i${call}`,
        MillisBehindLatest: call < 4 ? 1000 : 0,
      }),
    })
    expect(await tip.read(new Map([['a', '0']]))).toEqual(new Map([['a', '4']]))
    expect(bodies.find(({ operation }) => operation === 'GetShardIterator')).toMatchObject({
      ShardIteratorType: 'AFTER_SEQUENCE_NUMBER',
      StartingSequenceNumber: '0',
    })
    expect(bodies.flatMap(({ ShardIterator }) => ShardIterator ?? [])).toEqual(['i0', 'i1', 'i2', 'i3'])
    expect(waits).toHaveLength(3)
  })

  it('takes all pages of shards, and from a closed one all that is left of it', async () => {
    const { tip, bodies } = scripted({
      ListShards: (_, call) => ({ Shards: [{ ShardId: `s${call}` }], ...(call === 1 ? { NextToken: 'more' } : {}) }),
      GetShardIterator: ({ ShardId }) => ({ ShardIterator: ShardId }),
      GetRecords: ({ ShardIterator }) => ({ Records: [record(`${String(ShardIterator)}1`)], MillisBehindLatest: 5 }),
    })
    expect(await tip.read(new Map())).toEqual(
      new Map([
        ['s1', 's11'],
        ['s2', 's21'],
      ]),
    )
    expect(bodies.filter(({ ShardIteratorType }) => ShardIteratorType === 'TRIM_HORIZON')).toHaveLength(2)
  })

  it('is given up on where the archive is hopelessly behind, and says so', async () => {
    const { tip, calls } = scripted({
      ListShards: () => ({ Shards: [{ ShardId: 'a' }] }),
      GetShardIterator: () => ({ ShardIterator: 'i' }),
      GetRecords: () => ({ Records: [record('1')], NextShardIterator: 'i', MillisBehindLatest: 1 }),
    })
    await expect(tip.read(new Map())).rejects.toMatchObject({ code: 'archive-behind', retriable: true })
    expect(calls.get('GetRecords')).toBe(1000)
  })

  it.each([
    ['InvalidArgumentException', 'Was the stream created anew?', false],
    ['ProvisionedThroughputExceededException', 'Run it again later.', true],
    ['AccessDeniedException', 'Look at the cause', false],
  ])('that cannot be read for %s says what helps', async (name, next, retriable) => {
    const { tip } = scripted({
      ListShards: () => ({ Shards: [{ ShardId: 'a' }] }),
      GetShardIterator: () => ({ __type: name, message: 'scripted' }),
    })
    const expected = { code: name, retriable, next: expect.stringContaining(next) as string }
    await expect(tip.read(new Map([['a', '1']]))).rejects.toMatchObject(expected)
  })
})
