import { expect, it } from 'vitest'
import { closeRecords } from '../../src/archive/closed-letters.ts'
import { readGivenUp } from '../../src/replay/verify-given-up.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { START } from '../features/factories.ts'
import { orderRecord, rawRecord } from '../recompute/harness.ts'
import { deliverAll, randomStream, verifyWorld } from './verify-world.ts'
import { seededRandom } from '../../src/platform/random.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'

const KEY = 'aws/lambda/7b1c/shardId-000000000000/2026/01/02/2026-01-02T03.04.05-1'

/** What Lambda writes to S3: its invocation record, with the event as the function was given it. */
function failureObject(records: readonly StreamRecord[]): Buffer {
  const payload = {
    Records: records.map(({ shard, sequence, arrivalMs, partitionKey, dataBase64 }) => ({
      kinesis: {
        kinesisSchemaVersion: '1.0',
        partitionKey,
        sequenceNumber: sequence,
        data: dataBase64,
        approximateArrivalTimestamp: arrivalMs / 1000,
      },
      eventSource: 'aws:kinesis',
      eventID: `${shard}:${sequence}`,
      eventSourceARN: 'arn:aws:kinesis:eu-central-1:000000000000:stream/events',
    })),
  }
  const responseContext = { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' }
  return Buffer.from(JSON.stringify({ version: '1.0', responseContext, payload: JSON.stringify(payload) }))
}

it('reads the records of a batch, and names an object that is none', async () => {
  const archive = memoryObjectStore()
  await archive.create(`${KEY}-a`, failureObject([orderRecord(1, 7), rawRecord('?', 8, 'ben')]))
  await archive.create(`${KEY}-b`, Buffer.from('{"payload":"{}"}'))
  await archive.create(`${KEY}-c`, Buffer.from('not JSON'))
  const batches = []
  for await (const batch of readGivenUp(archive)) batches.push(batch)
  expect(batches).toMatchObject([
    { key: `${KEY}-a`, records: [{ stream: 'events@0', sequence: '7', partitionKey: 'ana' }, { partitionKey: 'ben' }] },
    { key: `${KEY}-b`, records: undefined },
    { key: `${KEY}-c`, records: undefined },
  ])
})

it('a batch that was given up is missed by nobody, though later events of its users were folded', async () => {
  const world = verifyWorld()
  const random = seededRandom(4)
  const records = randomStream(random, 200)
  const given = [1, 2, 3].map(id =>
    orderRecord(`given-up-${id}`, 300 + id, { user: `user-${id}`, ts: START + 20 * 86_400_000 }),
  )
  const after = [1, 2, 3].map(id =>
    orderRecord(`after-${id}`, 310 + id, { user: `user-${id}`, ts: START + 20 * 86_400_000 }),
  )
  await deliverAll(world, [...records, ...after], random)
  world.archived.push(...given)
  expect((await world.verify()).counts).toMatchObject({ different: 3 })
  await world.archive.create(KEY, failureObject(given))
  await world.archive.create(`${KEY}-torn`, Buffer.from('{'))
  expect(await world.verify()).toMatchObject({ counts: { users: 12, matched: 12 }, givenUpUnreadable: [`${KEY}-torn`] })
  // A rebuild that says it has counted them is held to it.
  const counted = given.slice(1).map(record => ({ ...record, stream: 'events@0' }))
  await closeRecords(world.archive, 'closed', { records: counted, by: 'a rebuild' })
  expect((await world.verify()).counts).toMatchObject({ matched: 10, different: 2 })
})
