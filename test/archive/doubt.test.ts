import { expect, it } from 'vitest'
import { listDoubt, writeDoubt } from '../../src/archive/doubt.ts'
import { eventIdHash } from '../../src/platform/hash.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { collect, NOON_MS, recordAt } from './factories.ts'

function doubtful(index: number) {
  const record = recordAt(index)
  const idHash = eventIdHash('visit', `e-${index}`)
  const event = {
    type: 'visit',
    id: `e-${index}`,
    idHash,
    userId: record.partitionKey,
    ts: NOON_MS,
    fields: new Map(),
    unknownFields: 0,
  }
  return { record, event }
}

it('lists who must be rebuilt and for which record, each once', async () => {
  const store = memoryObjectStore()
  await writeDoubt(store, [doubtful(2), doubtful(1)])
  await writeDoubt(store, [doubtful(1), doubtful(2), doubtful(3)])
  const { sequence, stream, shard, partitionKey } = recordAt(1)
  const [first, ...others] = await collect(listDoubt(store))
  expect(first).toEqual({
    userId: partitionKey,
    type: 'visit',
    idHash: eventIdHash('visit', 'e-1'),
    ts: NOON_MS,
    stream,
    shard,
    sequence,
  })
  expect(others.map(entry => entry.userId)).toEqual([recordAt(2).partitionKey, recordAt(3).partitionKey])
})

it('has no word of a user in the name of an object', async () => {
  const store = memoryObjectStore()
  await writeDoubt(store, [doubtful(2)])
  for (const key of store.objects.keys()) {
    expect(key).toMatch(/^doubt\/events@1\/shardId-000000000000\/\d{56}-\d{56}-[0-9a-f]{16}\.ndjson\.gz$/)
  }
})
