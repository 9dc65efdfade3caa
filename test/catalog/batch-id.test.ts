import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchIdNumber, batchIdTimeMs, checkBatchId, isBatchId, newBatchId } from '../../src/catalog/batch-id.ts'
import { seededRandom } from '../../src/platform/random.ts'

const instants = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) })

test('says when it was begun, to the second, whatever the instant and the randomness', () => {
  fc.assert(
    fc.property(instants, fc.integer(), (ms, seed) => {
      expect(batchIdTimeMs(newBatchId(ms, seededRandom(seed)))).toBe(Math.floor(ms / 1000) * 1000)
    }),
  )
})

test('is a number that reads like its time, exactly', () => {
  fc.assert(
    fc.property(instants, fc.integer(), (ms, seed) => {
      const id = newBatchId(ms, seededRandom(seed))
      expect(String(batchIdNumber(id)).padStart(14, '0')).toBe(id.slice(0, 14))
      expect(Number.isSafeInteger(batchIdNumber(id))).toBe(true)
    }),
  )
  expect(batchIdNumber('b1')).toBeUndefined()
})

test('sorts by time as text', () => {
  fc.assert(
    fc.property(instants, instants, fc.integer(), (a, b, seed) => {
      fc.pre(Math.floor(a / 1000) < Math.floor(b / 1000))
      const random = seededRandom(seed)
      expect(newBatchId(a, random) < newBatchId(b, random)).toBe(true)
    }),
  )
})

test('is made of the clock and of eight characters of randomness', () => {
  expect(newBatchId(Date.UTC(2001, 5, 30, 17, 59, 59, 999), () => 0)).toBe('20010630175959-00000000')
  expect(newBatchId(0, () => 1 - 2 ** -53)).toBe('19700101000000-zzzzzzzz')
  const random = seededRandom(7)
  expect(new Set(Array.from({ length: 5_000 }, () => newBatchId(0, random))).size).toBe(5_000)
})

test.each([
  '',
  '20010630175959',
  '20010630175959-abcdefg',
  '20010630175959-abcdefgil',
  '20010630175959-abcdefgi',
  '20010630175959-ABCDEFGH',
  '20010230175959-abcdefgh',
  '20010630245959-abcdefgh',
  '20010630175959-abcdefgh\n',
  '../10630175959-abcdefgh',
])('refuses %j', text => {
  expect(isBatchId(text)).toBe(false)
  expect(() => checkBatchId(text)).toThrow(expect.objectContaining({ code: 'batch-id-invalid' }))
})
