import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { archivePositions } from '../../src/archive/archive-positions.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { userBucket, USER_BUCKETS } from '../../src/platform/hash.ts'
import { ArchiveTail } from '../../src/replay/backfill-tail.ts'
import { writePace } from '../../src/platform/pace.ts'
import { NOON_MS, recordAt } from '../archive/factories.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'

let spoolDir: string
beforeAll(() => {
  spoolDir = mkdtempSync(join(tmpdir(), 'backfill-tail-'))
})
afterAll(() => rmSync(spoolDir, { recursive: true }))

async function told(tail: ArchiveTail): Promise<string[]> {
  const sequences: string[] = []
  await tail.advance(({ shard, sequence }) => void sequences.push(`${shard}/${sequence}`))
  return sequences.sort()
}

const names = (records: readonly StreamRecord[]): string[] =>
  records.map(({ shard, sequence }) => `${shard}/${sequence}`).sort()

describe('ArchiveTail', () => {
  it('tells each record beyond the position once, whatever batches it came in, also around the turn of an hour', async () => {
    const shards = ['shardId-000000000000', 'shardId-000000000001']
    const step = fc.record({ shard: fc.constantFrom(...shards), size: fc.integer({ min: 1, max: 5 }), back: fc.nat(3) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.nat(6), async (steps, openedAt) => {
        const archive = memoryObjectStore({ pageKeysMax: 2 })
        const next = new Map(shards.map(shard => [shard, 0]))
        let tail: ArchiveTail | undefined
        const all: StreamRecord[] = []
        const seen: string[] = []
        let before: string[] = []
        for (const [index, { shard, size, back }] of steps.entries()) {
          const from = Math.max(0, (next.get(shard) ?? 0) - back)
          // Arrivals that go back and forth over an hour.
          const arrivalMs = (at: number): number => NOON_MS + 3_590_000 + at * 4000 - (at % 3) * 9000
          const batch = Array.from({ length: size }, (_, at) =>
            recordAt(from + at, { shard, arrivalMs: arrivalMs(from + at) }),
          )
          next.set(shard, Math.max(next.get(shard) ?? 0, from + size))
          await archiveBatch(batch, archive)
          all.push(...batch)
          if (index < openedAt) continue
          if (tail === undefined) {
            tail = new ArchiveTail({ archive, positions: await archivePositions(archive), spoolDir })
            before = names(all)
          }
          seen.push(...(await told(tail)))
        }
        const due = [...new Set(names(all))].filter(name => !before.includes(name))
        if (tail === undefined) return
        expect(seen.sort()).toEqual(due.sort())
        expect([...tail.positions]).toEqual(expect.arrayContaining([...(await archivePositions(archive))]))
        const spooled: StreamRecord[] = []
        for (let bucket = 0; bucket < USER_BUCKETS; bucket++) {
          for await (const record of tail.records(bucket)) {
            expect(userBucket(record.partitionKey)).toBe(bucket)
            spooled.push(record)
          }
        }
        expect(names(spooled)).toEqual(due)
        tail.remove()
      }),
      { numRuns: 60 },
    )
  })

  it('reads nothing again, and lists no hour that is long over', async () => {
    const archive = memoryObjectStore({ pageKeysMax: 1 })
    for (let hour = 0; hour < 20; hour++) {
      await archiveBatch([recordAt(hour, { arrivalMs: NOON_MS + hour * 3_600_000 })], archive)
    }
    const tail = new ArchiveTail({ archive, positions: await archivePositions(archive), spoolDir })
    expect(await told(tail)).toEqual([])
    Object.assign(archive.calls, { get: 0, list: 0 })
    expect(await told(tail)).toEqual([])
    expect(archive.calls.get).toBe(0)
    expect(archive.calls.list).toBeLessThan(8)
    tail.remove()
  })
})

describe('writePace', () => {
  it('spreads writes evenly, also those that are asked for at once', async () => {
    let nowMs = 0
    const waits: number[] = []
    const sleep = async (ms: number): Promise<void> => void waits.push(ms)
    const pace = writePace(10, { clock: () => nowMs, sleep })
    await Promise.all([pace(), pace(), pace()])
    expect(waits).toEqual([100, 200])
    nowMs = 1000
    await pace()
    expect(waits).toHaveLength(2)
  })

  it('waits for nothing where there is no limit', async () => {
    const pace = writePace(undefined, { clock: () => 0, sleep: () => Promise.reject(new Error('slept')) })
    await Promise.all([pace(), pace()])
  })
})
