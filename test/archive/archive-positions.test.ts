// The position is a promise: everything up to it is archived. So it is tried with a failure at every object of every batch.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { archivePositions } from '../../src/archive/archive-positions.ts'
import { compareSequences, type StreamRecord } from '../../src/event/stream-record.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { NOON_MS, rawRecords, recordAt, recordsAt, sequenceOf, SHARD } from './factories.ts'

const KEY = `${SHARD.stream}/${SHARD.shard}`
const MINUTE_MS = 60_000

/** Arrivals around the turns of hours, not in the order of the sequences. */
const records = Array.from({ length: 12 }, (_, index) =>
  recordAt(index, { arrivalMs: NOON_MS + index * 10 * MINUTE_MS + (index % 2 === 0 ? 40 * MINUTE_MS : 0) }),
)

describe('the position of the archive', () => {
  it('is the last archived sequence of each shard', async () => {
    const store = memoryObjectStore()
    const other = { shard: 'shardId-000000000001' }
    await archiveBatch(recordsAt(0, 9), store)
    await archiveBatch([recordAt(3, other), recordAt(5, other)], store)
    await archiveBatch(recordsAt(3, 5), store)
    expect(await archivePositions(store)).toEqual(
      new Map([
        [KEY, sequenceOf(8)],
        [`${SHARD.stream}/${other.shard}`, sequenceOf(5)],
      ]),
    )
  })

  it('is nothing where nothing is archived', async () => {
    expect(await archivePositions(memoryObjectStore())).toEqual(new Map())
  })

  it('claims no record that is not there, whichever object failed, before or after it was written', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let failing = 0; failing < records.length; failing++) {
        let creates = 0
        const store = memoryObjectStore({
          fault: call => {
            if (call.operation === 'create' && call.when === when && creates++ === failing) throw new Error('away')
          },
        })
        const { failedSequence } = await archiveBatch(records, store)
        await expectGapFree(store, records)
        expect(failedSequence === undefined).toBe(failing >= creates)
      }
    }
  })

  it('claims no record that is not there in any run of batches that fail and are delivered again', async () => {
    const batches = fc.array(
      fc.record({ length: fc.integer({ min: 1, max: 6 }), failing: fc.integer({ min: 0, max: 5 }) }),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    await fc.assert(
      fc.asyncProperty(batches, async runs => {
        let fails = -1
        const store = memoryObjectStore({
          fault: call => {
            if (call.operation === 'create' && call.when === 'before' && fails-- === 0) throw new Error('away')
          },
        })
        let from = 0
        for (const { length, failing } of runs) {
          fails = failing
          const batch = records.slice(from, from + length)
          const { failedSequence } = await archiveBatch(batch, store)
          const done = failedSequence === undefined ? batch.length : batch.findIndex(r => r.sequence === failedSequence)
          from += done
          await expectGapFree(store, records)
        }
      }),
      { numRuns: 50 },
    )
  })
})

async function expectGapFree(store: ReturnType<typeof memoryObjectStore>, all: readonly StreamRecord[]): Promise<void> {
  const position = (await archivePositions(store)).get(KEY)
  const there = new Set((await rawRecords(store)).map(({ sequence }) => sequence))
  for (const { sequence } of all) {
    if (position !== undefined && compareSequences(sequence, position) <= 0) expect(there).toContain(sequence)
  }
}
