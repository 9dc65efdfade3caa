import fc from 'fast-check'
import { expect, it } from 'vitest'
import { eventOf, mapRecord } from '../../localstack/mapped-record.ts'
import { planBatch } from '../../localstack/plan-batch.ts'

const SOURCE = { streamArn: 'arn:stream', shard: 'shardId-000000000000', roleArn: 'arn:role', region: 'us-east-1' }
const LIMIT_BYTES = 6 * 1024 * 1024

function recordOf(dataBytes: number, index: number) {
  return mapRecord(
    { sequence: String(index), partitionKey: 'schlüssel', dataBase64: 'A'.repeat(dataBytes), arrivalMs: 1 },
    SOURCE,
  )
}

it('counts the bytes that the event really has, and takes as many records as fit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 2_000_000 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 15 }),
      (sizes, batchSize) => {
        const buffered = sizes.map(recordOf)
        const count = planBatch(buffered, { batchSize, isWindowOver: true })
        const bytesOf = (records: number): number => Buffer.byteLength(eventOf(buffered.slice(0, records)))
        expect(count).toBeGreaterThan(0)
        expect(count).toBeLessThanOrEqual(batchSize)
        if (count > 1) expect(bytesOf(count)).toBeLessThanOrEqual(LIMIT_BYTES)
        // One comma is counted for a record that has none.
        if (count < Math.min(buffered.length, batchSize)) expect(bytesOf(count + 1) + 1).toBeGreaterThan(LIMIT_BYTES)
      },
    ),
    { numRuns: 50 },
  )
})

it('waits while the window is open, the batch not full and the payload small', () => {
  const buffered = [1, 2].map(recordOf)
  expect(planBatch(buffered, { batchSize: 3, isWindowOver: false })).toBe(0)
  expect(planBatch(buffered, { batchSize: 2, isWindowOver: false })).toBe(2)
  expect(planBatch(buffered, { batchSize: 3, isWindowOver: true })).toBe(2)
  expect(planBatch([], { batchSize: 3, isWindowOver: true })).toBe(0)
})

it('sends what has reached the payload limit without waiting for the window', () => {
  const buffered = [4_000_000, 4_000_000].map(recordOf)
  expect(planBatch(buffered, { batchSize: 100, isWindowOver: false })).toBe(1)
})

it('sends a record that is too large by itself alone', () => {
  const buffered = [7_000_000, 10].map(recordOf)
  expect(planBatch(buffered, { batchSize: 100, isWindowOver: true })).toBe(1)
})
