// The same hostile records through Kinesis, DynamoDB and S3 as the local cloud has them, and the handlers as they are deployed.
import { deepStrictEqual, strictEqual } from 'node:assert'
import { PutRecordsCommand, type PutRecordsRequestEntry } from '@aws-sdk/client-kinesis'
import { memoryCheckpoints } from '../../localstack/checkpoints.ts'
import { waitUntilDrained } from '../../localstack/drain.ts'
import { type EventSourceMapping, startEventSourceMapping } from '../../localstack/event-source-mapping.ts'
import { kinesisStream } from '../../localstack/kinesis-streams.ts'
import { listDeadLetters } from '../../src/archive/dead-letters.ts'
import { unpackLines } from '../../src/archive/line-file.ts'
import { parseObjectName } from '../../src/archive/object-name.ts'
import { archiveHandler } from '../../src/compose/archive-handler.ts'
import { connect } from '../../src/compose/connect.ts'
import type { LambdaHandler } from '../../src/compose/lambda-handler.ts'
import { recomputeHandler } from '../../src/compose/recompute-handler.ts'
import { systemClock, systemSleep } from '../../src/platform/clock.ts'
import type { ObjectStore } from '../../src/platform/object-store.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { CorruptItem, StoredItem } from '../../src/store/user-item.ts'
import { type LocalAws, startLocalAws } from '../fakes/local-aws.ts'
import { hostileGenerator, type HostileGenerator, type HostileRecord } from './hostile-generator.ts'
import { HostileLedger } from './hostile-ledger.ts'
import { hostileShop } from './hostile-pipeline.ts'
import { mappingOf } from './memory-functions.ts'

const ENTRIES_PER_PUT = 200
/** Of the 5 MB of a call, less its envelope. */
const PUT_BYTES_MAX = 4_500_000
const TIMEOUT_MS = 60_000
const DRAIN_TIMEOUT_MS = 600_000
const POLL_MS = 10

export async function throughEmulators(
  records: number,
  seed: number,
  say: (line: string) => void,
): Promise<HostileLedger> {
  const aws = await startLocalAws()
  const connection = connect({ pipeline: hostileShop.name, stage: 'dev', env: aws.env })
  const { names } = connection
  await aws.createUsersTable(names.usersTable)
  await aws.createCatalogTable(names.catalogTable)
  await aws.createBucket(names.archiveBucket)
  await aws.createBucket(names.catalogBucket)
  await aws.createStream(names.eventsStream)
  setEnvironment(aws, names)
  const ledger = new HostileLedger()
  const mappings = [
    await mappingTo(aws, names.eventsStream, recomputeHandler(hostileShop), mappingOf('recompute', 500)),
    await mappingTo(aws, names.eventsStream, archiveHandler(hostileShop), mappingOf('archive', 10_000)),
  ]
  try {
    const startMs = systemClock()
    await putAll({ aws, stream: names.eventsStream, ledger, generator: hostileGenerator(seed, 'emulators') }, records)
    await waitUntilDrained(mappings, { timeoutMs: DRAIN_TIMEOUT_MS, clock: systemClock, sleep: systemSleep })
    const seconds = (systemClock() - startMs) / 1000
    checkMappings(mappings, records)
    for await (const { shard, sequence, reason } of listDeadLetters(connection.archive)) {
      ledger.letter(`${shard}/${sequence}`, reason)
    }
    await readArchive(connection.archive, ledger)
    ledger.settle()
    const items: (StoredItem | CorruptItem)[] = []
    for await (const page of connection.users.scan(0, 1)) items.push(...page)
    ledger.checkItems(items)
    say(
      `${records} records in ${seconds.toFixed(1)} s: ${Math.round(records / seconds)} records/s through the emulators`,
    )
    return ledger
  } finally {
    await Promise.all(mappings.map(mapping => mapping.stop()))
    connection.close()
    await aws.stop()
  }
}

async function readArchive(archive: ObjectStore, ledger: HostileLedger): Promise<void> {
  for await (const { key, createdMs } of archive.list('raw/')) {
    const { shard } = parseObjectName({ key, createdMs })
    const body = await archive.get(key)
    for (const line of unpackLines(body ?? new Uint8Array(), key)) ledger.archived(`${shard}/${line.text('sequence')}`)
  }
}

/** As serverless.yml sets it. Metrics are not what is looked at here. */
function setEnvironment(aws: LocalAws, names: ReturnType<typeof connect>['names']): void {
  Object.assign(process.env, aws.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    MILLRACE_USERS_TABLE: names.usersTable,
    MILLRACE_CATALOG_TABLE: names.catalogTable,
    MILLRACE_ARCHIVE_BUCKET: names.archiveBucket,
    MILLRACE_CATALOG_BUCKET: names.catalogBucket,
    MILLRACE_EVENTS_STREAM: names.eventsStream,
    POWERTOOLS_METRICS_DISABLED: 'true',
  })
}

function mappingTo(
  aws: LocalAws,
  streamName: string,
  handler: LambdaHandler,
  mapping: ReturnType<typeof mappingOf>,
): Promise<EventSourceMapping> {
  return startEventSourceMapping(
    { mapping, roleArn: 'arn:aws:iam::000000000000:role/function', region: 'us-east-1', pollMs: POLL_MS },
    {
      stream: kinesisStream(aws.clients.kinesis, streamName),
      invoke: async event => {
        try {
          const endMs = systemClock() + TIMEOUT_MS
          const context = { getRemainingTimeInMillis: () => endMs - systemClock() }
          const answer = await handler(JSON.parse(event), context as Parameters<LambdaHandler>[1])
          return { kind: 'returned', payload: JSON.stringify(answer) }
        } catch (error) {
          return { kind: 'failed', errorType: 'Error', errorMessage: String(error) }
        }
      },
      checkpoints: memoryCheckpoints(),
      clock: systemClock,
      sleep: systemSleep,
      random: systemRandom,
      log: line => process.stderr.write(`${mapping.functionName}: ${line}\n`),
    },
  )
}

interface Putting {
  readonly aws: LocalAws
  readonly stream: string
  readonly ledger: HostileLedger
  readonly generator: HostileGenerator
}

async function putAll({ aws, stream, ledger, generator }: Putting, count: number): Promise<void> {
  let waiting: HostileRecord[] = []
  let bytes = 0
  const flush = async (): Promise<void> => {
    const Records: PutRecordsRequestEntry[] = waiting.map(({ partitionKey, data }) => ({
      PartitionKey: partitionKey,
      Data: Buffer.from(data),
    }))
    const answer = await aws.clients.kinesis.send(new PutRecordsCommand({ StreamName: stream, Records }))
    strictEqual(answer.FailedRecordCount ?? 0, 0, 'records that Kinesis did not take')
    for (const [index, record] of waiting.entries()) {
      const { ShardId, SequenceNumber } = answer.Records?.[index] ?? {}
      ledger.sent(`${ShardId}/${SequenceNumber}`, record)
    }
    waiting = []
    bytes = 0
  }
  for (let made = 0; made < count; made++) {
    const record = generator.next(systemClock())
    if (waiting.length === ENTRIES_PER_PUT || bytes + record.data.length > PUT_BYTES_MAX) await flush()
    waiting.push(record)
    bytes += record.data.length
  }
  await flush()
}

function checkMappings(mappings: readonly EventSourceMapping[], records: number): void {
  for (const mapping of mappings) {
    const shards = mapping.counters()
    const sum = (name: 'delivered' | 'discarded' | 'functionErrors' | 'partialFailures' | 'pending'): number =>
      shards.reduce((total, shard) => total + shard[name], 0)
    deepStrictEqual(
      [sum('delivered'), sum('discarded'), sum('functionErrors'), sum('partialFailures'), sum('pending')],
      [records, 0, 0, 0, 0],
      `${mapping.mapping.functionName}: delivered, discarded, function errors, partial failures, pending`,
    )
  }
}
