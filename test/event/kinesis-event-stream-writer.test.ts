// One contract for the events stream, run on the in-memory fake and on Kinesis' emulator through the SDK.
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { CreateStreamCommand, DescribeStreamCommand, KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EventStreamError } from '../../src/event/errors.ts'
import type { EventStreamWriter } from '../../src/event/event-stream-writer.ts'
import { kinesisEventStreamWriter } from '../../src/event/kinesis-event-stream-writer.ts'
import { memoryEventStream } from '../fakes/memory-event-stream.ts'

/** It has no types of its own. */
const kinesalite = createRequire(import.meta.url)('kinesalite') as (options?: {
  readonly createStreamMs: number
}) => Server

const STREAM = 'events'
const LOCALHOST = '127.0.0.1'

function clientOf(port: number): KinesisClient {
  return new KinesisClient({
    endpoint: `http://${LOCALHOST}:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  })
}

let server: Server
let client: KinesisClient

beforeAll(async () => {
  server = kinesalite({ createStreamMs: 0 })
  await new Promise<void>(resolve => server.listen(0, LOCALHOST, resolve))
  client = clientOf((server.address() as AddressInfo).port)
  await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: 2 }))
  for (;;) {
    const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamName: STREAM }))
    if (StreamDescription?.StreamStatus === 'ACTIVE') break
    await new Promise(resolve => setTimeout(resolve, 10))
  }
})

afterAll(async () => {
  client.destroy()
  await new Promise(resolve => server.close(resolve))
})

const writers: readonly (readonly [string, () => EventStreamWriter])[] = [
  ['the fake', () => memoryEventStream({ shards: 2 })],
  ['Kinesis', () => kinesisEventStreamWriter(client, STREAM)],
]

describe.each(writers)('%s', (_name, makeWriter) => {
  it('puts 500 entries: one shard per key, sequences that rise', async () => {
    const entries = Array.from({ length: 500 }, (_, index) => ({
      partitionKey: `ü${index % 20}`,
      data: Buffer.from(`{"n":${index}}`),
    }))
    const results = await makeWriter().putRecords(entries)
    expect(results).toHaveLength(500)
    const byKey = new Map<string, { shard: string; sequence: bigint }>()
    for (const [index, result] of results.entries()) {
      if (result.outcome !== 'put') throw new Error(result.code)
      const key = entries[index]?.partitionKey ?? ''
      const before = byKey.get(key)
      if (before !== undefined) {
        expect(result.shard).toBe(before.shard)
        expect(BigInt(result.sequence)).toBeGreaterThan(before.sequence)
      }
      byKey.set(key, { shard: result.shard, sequence: BigInt(result.sequence) })
    }
    expect(new Set([...byKey.values()].map(({ shard }) => shard)).size).toBe(2)
  })

  it('refuses more than 500 entries, and none, for good', async () => {
    const entry = { partitionKey: 'u', data: Buffer.from('{}') }
    for (const entries of [Array.from({ length: 501 }, () => entry), []]) {
      const error = await makeWriter()
        .putRecords(entries)
        .catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(EventStreamError)
      expect(error).toMatchObject({ code: 'ValidationException', retriable: false })
    }
  })
})

describe('kinesisEventStreamWriter', () => {
  const entries = [{ partitionKey: 'u', data: Buffer.from('{}') }]

  it('says that a stream that does not exist will not appear by waiting', async () => {
    const error = await kinesisEventStreamWriter(client, 'nowhere')
      .putRecords(entries)
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'stream-missing', retriable: false })
  })

  it('says that a network that fails may recover, and names no user', async () => {
    const probe = kinesalite()
    await new Promise<void>(resolve => probe.listen(0, LOCALHOST, resolve))
    const { port } = probe.address() as AddressInfo
    await new Promise(resolve => probe.close(resolve))
    const lost = clientOf(port)
    const error = await kinesisEventStreamWriter(lost, STREAM)
      .putRecords([{ partitionKey: 'secret-user', data: Buffer.from('{}') }])
      .catch((thrown: unknown) => thrown)
    lost.destroy()
    expect(error).toMatchObject({ retriable: true })
    expect(String(error)).not.toContain('secret-user')
  })
})
