import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { listDeadLetters, writeDeadLetters } from '../../src/archive/dead-letters.ts'
import type { Refusal } from '../../src/event/decoded-event.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { collect, NOON_MS, recordAt, sequenceOf } from './factories.ts'

const LATE: Refusal = { reason: 'late', detail: 'The event is late.' }
const CORRUPT: Refusal = { reason: 'item-corrupt', detail: 'The item is corrupt.' }

function letter(index: number, refusal: Refusal = LATE, shard = 'shardId-000000000000') {
  return { record: recordAt(index, { shard }), refusal }
}

describe('dead letters', () => {
  it('keep the record whole, with its reason', async () => {
    const store = memoryObjectStore()
    await writeDeadLetters(store, [letter(3, CORRUPT)])
    expect(await collect(listDeadLetters(store))).toEqual([{ ...recordAt(3), ...CORRUPT }])
  })

  it('are one object per invocation, named by the letters', async () => {
    const store = memoryObjectStore()
    await writeDeadLetters(store, [letter(7), letter(3), letter(5, CORRUPT)])
    expect(store.calls).toEqual({ create: 1, stat: 0, get: 0, list: 0 })
    const [key] = store.objects.keys()
    const range = `${sequenceOf(3).padStart(56, '0')}-${sequenceOf(7).padStart(56, '0')}`
    expect(key).toMatch(new RegExp(`^deadletters/events@1/shardId-000000000000/${range}-[0-9a-f]{16}\\.ndjson\\.gz$`))
  })

  it('write nothing where there are none', async () => {
    const store = memoryObjectStore()
    await writeDeadLetters(store, [])
    expect(store.calls.create).toBe(0)
  })

  it('are one object for an invocation that is repeated', async () => {
    const store = memoryObjectStore()
    await writeDeadLetters(store, [letter(1), letter(2)])
    await writeDeadLetters(store, [letter(2), letter(1)])
    expect(store.objects.size).toBe(1)
  })

  it('lose nothing where a retry sets aside other records between the same bounds', async () => {
    const store = memoryObjectStore()
    await writeDeadLetters(store, [letter(1), letter(9)])
    await writeDeadLetters(store, [letter(1), letter(5), letter(9)])
    const sequences = (await collect(listDeadLetters(store))).map(({ sequence }) => sequence)
    expect(sequences).toEqual([1, 5, 9].map(sequenceOf))
  })

  it.each([
    [LATE, CORRUPT],
    [CORRUPT, LATE],
  ])('say what was recorded first: $0.reason', async (first, second) => {
    const store = memoryObjectStore()
    await writeDeadLetters(store, [letter(4, first)])
    await writeDeadLetters(store, [letter(2, second), letter(4, second)])
    const letters = await collect(listDeadLetters(store))
    expect(letters.map(({ reason }) => reason)).toEqual([second.reason, first.reason])
  })

  it('are chosen by reason and arrival', async () => {
    const store = memoryObjectStore()
    await writeDeadLetters(store, [letter(1), letter(2, CORRUPT), letter(3), letter(4)])
    const range = { fromMs: NOON_MS + 2000, toMs: NOON_MS + 4000 }
    const found = await collect(listDeadLetters(store, { reason: 'late', ...range }))
    expect(found.map(({ sequence }) => sequence)).toEqual([sequenceOf(3)])
  })

  it('are of a range from its first millisecond on, and not of its last', async () => {
    const store = memoryObjectStore()
    await writeDeadLetters(store, [letter(1), letter(2), letter(3), letter(4)])
    const found = await collect(listDeadLetters(store, { fromMs: NOON_MS + 2000, toMs: NOON_MS + 4000 }))
    expect(found.map(({ sequence }) => sequence)).toEqual([sequenceOf(2), sequenceOf(3)])
  })

  it('do not count a record under its second reason', async () => {
    const store = memoryObjectStore()
    await writeDeadLetters(store, [letter(4, LATE)])
    await writeDeadLetters(store, [letter(4, CORRUPT)])
    expect(await collect(listDeadLetters(store, { reason: 'item-corrupt' }))).toEqual([])
  })

  it('fail loudly where they cannot be written', async () => {
    const store = memoryObjectStore({
      fault: () => {
        throw new Error('the bucket is away')
      },
    })
    await expect(writeDeadLetters(store, [letter(1)])).rejects.toThrow('the bucket is away')
  })

  it('are listed once each, first recorded, whatever the invocations were', async () => {
    const shards = ['shardId-000000000000', 'shardId-000000000001']
    const oneLetter = fc.tuple(fc.nat(9), fc.constantFrom(LATE, CORRUPT), fc.constantFrom(...shards))
    const invocation = fc.uniqueArray(oneLetter, { selector: ([index, , shard]) => `${shard}:${index}`, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(fc.array(invocation, { maxLength: 6 }), async invocations => {
        const store = memoryObjectStore({ pageKeysMax: 2 })
        const expected = new Map<string, string>()
        for (const letters of invocations) {
          await writeDeadLetters(
            store,
            letters.map(([index, refusal, shard]) => letter(index, refusal, shard)),
          )
          for (const [index, refusal, shard] of letters) {
            const name = `${shard}:${index}`
            expected.set(name, expected.get(name) ?? refusal.reason)
          }
        }
        const listed = await collect(listDeadLetters(store))
        const bySequence = new Map(Array.from({ length: 10 }, (_, index) => [sequenceOf(index), index]))
        const names = listed.map(({ shard, sequence, reason }) => `${shard}:${bySequence.get(sequence)}=${reason}`)
        expect(names).toEqual([...expected].map(([name, reason]) => `${name}=${reason}`).sort())
      }),
    )
  })
})
