import { describe, expect, it } from 'vitest'
import { closeRecords } from '../../src/archive/closed-letters.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { writeDoubt } from '../../src/archive/doubt.ts'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { newestArrivalMs } from '../../src/status/newest-arrival.ts'
import { LOOKED_AT_MAX, openDeadLetters, openDoubt, openGivenUp } from '../../src/status/set-aside.ts'
import { NOON_MS, recordAt, recordsAt, SHARD } from '../archive/factories.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'

const order = { type: 'order.placed', owner: 'ana' }
const visit = { type: 'visit', owner: 'bo' }
const pipeline = { typePath: 'type', events: [order, visit] } as unknown as Parameters<typeof openDeadLetters>[1]
const patient = { isTimeUp: () => false }
const looksAt = (count: number) => {
  let looks = 0
  return { isTimeUp: () => ++looks > count }
}

const typed = (index: number, payload: unknown): StreamRecord =>
  recordAt(index, { dataBase64: Buffer.from(JSON.stringify(payload)).toString('base64') })
const letter = (record: StreamRecord, reason: 'late' | 'contract' | 'not-json') => ({
  record,
  refusal: { reason, detail: 'x' },
})
const doubt = (index: number) => ({
  record: recordAt(index),
  event: { userId: 'u', type: 'visit', idHash: 'h', ts: 1 } as unknown as DecodedEvent,
})

describe('openDeadLetters', () => {
  it('counts open ones by reason, with the owners of the contracts that their types name', async () => {
    const archive = memoryObjectStore({})
    await writeDeadLetters(archive, [
      letter(typed(1, { type: 'order.placed' }), 'contract'),
      letter(typed(2, { type: 'visit' }), 'contract'),
      letter(typed(3, { type: 'visit' }), 'late'),
      letter(recordAt(4, { dataBase64: Buffer.from('{"broken').toString('base64') }), 'not-json'),
      letter(typed(5, { type: 'constructor' }), 'contract'),
    ])
    await closeRecords(archive, 'closed', { records: [recordAt(3)], by: 'test' })
    expect(await openDeadLetters(archive, pipeline, patient)).toEqual({
      count: 4,
      isComplete: true,
      reasons: [
        { reason: 'contract', count: 3, owners: ['ana', 'bo'] },
        { reason: 'not-json', count: 1, owners: [] },
      ],
    })
  })

  it('says that there may be more where its time is up, also between closed ones', async () => {
    const archive = memoryObjectStore({})
    const records = recordsAt(0, 10)
    await writeDeadLetters(
      archive,
      records.map(record => letter(record, 'late')),
    )
    expect(await openDeadLetters(archive, pipeline, looksAt(4))).toMatchObject({ count: 4, isComplete: false })
    await closeRecords(archive, 'closed', { records, by: 'test' })
    expect(await openDeadLetters(archive, pipeline, looksAt(4))).toMatchObject({ count: 0, isComplete: false })
    expect(await openDeadLetters(archive, pipeline, patient)).toMatchObject({ count: 0, isComplete: true })
  })
})

describe('a limit of dead letters above what is looked at by itself', () => {
  it('is told by as many as there are, and exceeded by one', async () => {
    const archive = memoryObjectStore({})
    await writeDeadLetters(
      archive,
      recordsAt(0, LOOKED_AT_MAX + 7).map(record => letter(record, 'late')),
    )
    const found = (deadLettersMax?: number) =>
      openDeadLetters(archive, pipeline, { ...patient, ...(deadLettersMax === undefined ? {} : { deadLettersMax }) })
    expect(await found()).toMatchObject({ count: LOOKED_AT_MAX, isComplete: false })
    expect(await found(LOOKED_AT_MAX + 7)).toMatchObject({ count: LOOKED_AT_MAX + 7, isComplete: true })
    expect(await found(LOOKED_AT_MAX + 5)).toMatchObject({ count: LOOKED_AT_MAX + 6, isComplete: false })
  })
})

describe('openDoubt', () => {
  it('counts what is not cleared', async () => {
    const archive = memoryObjectStore({})
    await writeDoubt(archive, [doubt(1), doubt(2), doubt(3)])
    await closeRecords(archive, 'cleared', { records: [recordAt(2)], by: 'test' })
    expect(await openDoubt(archive, patient)).toEqual({ count: 2, isComplete: true })
    expect(await openDoubt(archive, looksAt(1))).toEqual({ count: 1, isComplete: false })
  })
})

describe('openGivenUp', () => {
  const key = (second: string) =>
    `aws/lambda/0a1b/${SHARD.shard}/2026/01/02/2026-01-02T12.00.${second}-6e8b0b2f-0000-4000-8000-000000000000`
  const body = (records: readonly StreamRecord[]): Buffer =>
    Buffer.from(
      JSON.stringify({
        payload: {
          Records: records.map(({ sequence, partitionKey, dataBase64, arrivalMs, shard }) => ({
            kinesis: {
              kinesisSchemaVersion: '1.0',
              partitionKey,
              sequenceNumber: sequence,
              data: dataBase64,
              approximateArrivalTimestamp: arrivalMs / 1000,
            },
            eventSource: 'aws:kinesis',
            eventID: `${shard}:${sequence}`,
            eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
          })),
        },
      }),
    )

  it('counts batches of which a record is open, and when the newest was written', async () => {
    const archive = memoryObjectStore({})
    await archiveBatch(recordsAt(0, 10), archive)
    await archive.create(key('01'), body(recordsAt(0, 3)))
    await archive.create(key('02'), body(recordsAt(3, 6)))
    await archive.create(key('03'), Buffer.from('not what Lambda writes'))
    const newest = (second: number): number => NOON_MS + second * 1000
    expect(await openGivenUp(archive, patient)).toEqual({ count: 3, newestMs: newest(3), isComplete: true })
    expect(await openGivenUp(archive, looksAt(1))).toEqual({ count: 1, newestMs: newest(1), isComplete: false })
    await closeRecords(archive, 'closed', { records: recordsAt(0, 5), by: 'test' })
    expect((await openGivenUp(archive, patient)).count).toBe(2)
    await closeRecords(archive, 'closed', { records: recordsAt(5, 6), by: 'test' })
    expect((await openGivenUp(archive, patient)).count).toBe(1)
  })

  it('counts no batch whose open records are dead letters of their own, be they of another shard', async () => {
    const archive = memoryObjectStore({})
    const other = recordAt(2, { shard: 'shardId-000000000001' })
    await archiveBatch([...recordsAt(0, 3), other], archive)
    await archive.create(key('01'), body([recordAt(0), recordAt(2), other]))
    await closeRecords(archive, 'closed', { records: [recordAt(0)], by: 'test' })
    // Beside it: the name of the object says that it may have the record.
    await writeDeadLetters(archive, [letter(recordAt(1), 'not-json'), letter(recordAt(3), 'not-json')])
    await writeDeadLetters(archive, [letter(other, 'not-json')])
    expect((await openGivenUp(archive, patient)).count).toBe(1)
    await writeDeadLetters(archive, [letter(recordAt(2), 'not-json')])
    expect((await openGivenUp(archive, patient)).count).toBe(0)
  })

  it('lists the names of dead letters once for all batches', async () => {
    const archive = memoryObjectStore({})
    await archiveBatch(recordsAt(0, 10), archive)
    for (let second = 10; second < 20; second++) {
      await archive.create(key(String(second)), body([recordAt(second - 10)]))
    }
    await writeDeadLetters(
      archive,
      recordsAt(0, 10).map(record => letter(record, 'not-json')),
    )
    const names: string[] = []
    const list: typeof archive.list = (prefix, options) => {
      names.push(prefix)
      return archive.list(prefix, options)
    }
    expect((await openGivenUp({ ...archive, list }, patient)).count).toBe(0)
    expect(names.filter(name => name.startsWith('deadletters/'))).toHaveLength(1)
  })
})

describe('newestArrivalMs', () => {
  it('is that of the newest record of any shard, found also where it is days old', async () => {
    const archive = memoryObjectStore({})
    expect(await newestArrivalMs(archive, NOON_MS)).toBeUndefined()
    await archiveBatch([recordAt(1), recordAt(2), recordAt(3, { shard: 'shardId-000000000001' })], archive)
    expect(await newestArrivalMs(archive, NOON_MS + 10_000)).toBe(NOON_MS + 3000)
    expect(await newestArrivalMs(archive, NOON_MS + 3 * 86_400_000)).toBe(NOON_MS + 3000)
    expect(await newestArrivalMs(archive, NOON_MS + 9 * 86_400_000)).toBeUndefined()
    await archiveBatch(recordsAt(4, 9), archive)
    expect(await newestArrivalMs(archive, NOON_MS + 10_000)).toBe(NOON_MS + 8000)
  })

  it('lists the last hour only where there is something in it', async () => {
    const archive = memoryObjectStore({ pageKeysMax: 1 })
    for (let hour = 0; hour < 30; hour++) {
      await archiveBatch([recordAt(hour, { arrivalMs: NOON_MS - (30 - hour) * 3_600_000 })], archive)
    }
    await archiveBatch([recordAt(31)], archive)
    const before = { ...archive.calls }
    await newestArrivalMs(archive, NOON_MS + 60_000)
    expect(archive.calls.list - before.list).toBeLessThan(8)
    expect(archive.calls.get - before.get).toBe(1)
  })
})
