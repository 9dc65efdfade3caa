// A mapping of the local cloud over its own emulators: shards that are split and merged under load, and batches that are given up.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KinesisClient, MergeShardsCommand, SplitShardCommand } from '@aws-sdk/client-kinesis'
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { localKinesisClient } from '../../localstack/kinesis-streams.ts'
import { type LocalCloud, startLocalCloud } from '../../localstack/local-cloud.ts'
import { localS3Client } from '../../localstack/s3-buckets.ts'
import { givenUpRecords } from '../../src/archive/given-up.ts'
import { BUCKET, eventsOf, put, totals } from './cloud-events.ts'
import { writeFixtureBuild } from './fixture-functions.ts'
import { fixtureTemplate, withProperties } from './fixture-template.ts'

const StreamName = 'shop-dev-events'

let folder = ''
let cloud: LocalCloud
let kinesis: KinesisClient

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  const template = withProperties(fixtureTemplate(), 'EventsMapping', {
    MaximumRetryAttempts: 1,
    ParallelizationFactor: 2,
    BatchSize: 20,
  })
  const build = await writeFixtureBuild(join(folder, 'build'), template)
  const options = { build, port: 0, pollMs: 20, path: join(folder, 'kept'), log: () => undefined }
  cloud = await startLocalCloud(options)
  await cloud.startAll()
  kinesis = localKinesisClient(cloud.endpoint)
})

afterAll(async () => {
  kinesis.destroy()
  await cloud.stop()
  await rm(folder, { recursive: true })
})

it('a shard that is split and shards that are merged lose no event', async () => {
  const events = Array.from({ length: 200 }, (_, index) => ({ user: `user-${index % 20}` }))
  await put(cloud, events)
  const ShardToSplit = 'shardId-000000000000'
  await kinesis.send(new SplitShardCommand({ StreamName, ShardToSplit, NewStartingHashKey: String(2n ** 126n) }))
  await untilShards(4)
  await put(cloud, events)
  const [ShardToMerge, AdjacentShardToMerge] = ['shardId-000000000002', 'shardId-000000000003']
  await kinesis.send(new MergeShardsCommand({ StreamName, ShardToMerge, AdjacentShardToMerge }))
  await untilShards(5)
  await put(cloud, events)
  await cloud.waitUntilDrained()
  expect(totals(cloud).delivered).toBe(600)
  for (let user = 0; user < 20; user++) expect(await eventsOf(cloud, `user-${user}`)).toBe(30)
  const shards = cloud.status().mappings[0]?.shards ?? []
  expect(shards.map(({ state }) => state)).toEqual(['finished', 'open', 'finished', 'finished', 'open'])
  expect(shards.every(({ delivered }) => delivered > 0)).toBe(true)
})

it('a record that fails for ever is alone in an object of the bucket, its neighbours are delivered', async () => {
  await put(cloud, [{ user: 'good' }, { user: 'bad', act: 'throw' }, { user: 'good' }])
  await cloud.waitUntilDrained()
  expect(await eventsOf(cloud, 'good')).toBe(2)
  const s3 = localS3Client(cloud.endpoint)
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'aws/lambda/' }))
  const Key = Contents[0]?.Key ?? ''
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }))
  const body = (await Body?.transformToByteArray()) ?? new Uint8Array()
  s3.destroy()
  expect(Contents).toHaveLength(1)
  const [, , uuid, shard] = Key.split('/')
  expect(uuid).toBe(cloud.plan.mappings[0]?.uuid)
  expect(givenUpRecords(body)).toMatchObject([{ shard, partitionKey: 'bad' }])
})

/** kinesalite takes half a second for each. */
async function untilShards(count: number): Promise<void> {
  await expect.poll(() => cloud.status().mappings[0]?.shards.length ?? 0, { timeout: 20_000, interval: 50 }).toBe(count)
}
