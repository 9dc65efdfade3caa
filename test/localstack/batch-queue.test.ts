import fc from 'fast-check'
import { expect, it } from 'vitest'
import { eventOf, type MappedRecord, mapRecord } from '../../localstack/mapped-record.ts'
import { batchQueue } from '../../localstack/batch-queue.ts'

const SOURCE = { streamArn: 'arn:stream', shard: 'shardId-000000000000', roleArn: 'arn:role', region: 'us-east-1' }
const LIMIT_BYTES = 6 * 1024 * 1024

function recordOf(dataBytes: number, index: number) {
  return mapRecord(
    { sequence: String(index), partitionKey: 'schlüssel', dataBase64: 'A'.repeat(dataBytes), arrivalMs: 1 },
    SOURCE,
  )
}

function queueOf(records: readonly MappedRecord[], batchSize: number) {
  const queue = batchQueue(batchSize)
  for (const record of records) queue.push(record)
  return queue
}

it('counts the bytes that the event really has, and takes as many records as fit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 2_000_000 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 15 }),
      (sizes, batchSize) => {
        const buffered = sizes.map(recordOf)
        const bytesOf = (records: number): number => Buffer.byteLength(eventOf(buffered.slice(0, records)))
        const queue = queueOf(buffered, batchSize)
        const isFull = queue.isBatchFull
        const count = queue.take({ isWindowOver: true }).length
        expect(isFull).toBe(count === batchSize || count < buffered.length || bytesOf(1) > LIMIT_BYTES)
        expect(queue.length).toBe(buffered.length - count)
        expect(count).toBeGreaterThan(0)
        expect(count).toBeLessThanOrEqual(batchSize)
        if (count > 1) expect(bytesOf(count)).toBeLessThanOrEqual(LIMIT_BYTES)
        // One comma is counted for a record that has none.
        if (count < Math.min(buffered.length, batchSize)) expect(bytesOf(count + 1) + 1).toBeGreaterThan(LIMIT_BYTES)
      },
    ),
    { numRuns: 20 },
  )
})

it('hands on every record once and in order, however batches are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 2_000_000 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.boolean(), { maxLength: 60 }),
      (sizes, batchSize, windows) => {
        const records = sizes.map(recordOf)
        const queue = batchQueue(batchSize)
        const taken: MappedRecord[] = []
        const steps = windows.values()
        for (const record of records) {
          queue.push(record)
          if (steps.next().value === true) taken.push(...queue.take({ isWindowOver: steps.next().value ?? false }))
        }
        while (queue.length > 0) taken.push(...queue.take({ isWindowOver: true }))
        expect(taken).toEqual(records)
      },
    ),
    { numRuns: 12 },
  )
})

it('waits while the window is open, the batch not full and the payload small', () => {
  const records = [1, 2].map(recordOf)
  expect(queueOf(records, 3).take({ isWindowOver: false })).toHaveLength(0)
  expect(queueOf(records, 2).take({ isWindowOver: false })).toHaveLength(2)
  expect(queueOf(records, 3).take({ isWindowOver: true })).toHaveLength(2)
  expect(queueOf([], 3).take({ isWindowOver: true })).toHaveLength(0)
})

it('sends what has reached the payload limit without waiting for the window', () => {
  const queue = queueOf([4_000_000, 4_000_000].map(recordOf), 100)
  expect(queue.take({ isWindowOver: false })).toHaveLength(1)
  expect(queue.take({ isWindowOver: false })).toHaveLength(0)
})

it('sends a record that is too large by itself alone', () => {
  const queue = queueOf([7_000_000, 10].map(recordOf), 100)
  expect(queue.take({ isWindowOver: false })).toHaveLength(1)
  expect(queue.length).toBe(1)
})
