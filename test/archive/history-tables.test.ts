import { expect, it } from 'vitest'
import {
  bucketOfPart,
  bucketPartName,
  hourOfPartition,
  hourPartition,
  refusedPartName,
} from '../../src/archive/history-tables.ts'
import { USER_BUCKETS } from '../../src/platform/hash.ts'

it('a part says of which bucket it is, and others are of every bucket', () => {
  for (let bucket = 0; bucket < USER_BUCKETS; bucket++) {
    expect(bucketOfPart(`${bucketPartName(bucket, 7)}.ndjson.gz`)).toBe(bucket)
    expect(bucketOfPart(`${bucketPartName(bucket, 12_345)}.ndjson.gz`)).toBe(bucket)
  }
  const others = [bucketPartName(USER_BUCKETS, 0), refusedPartName(3), 'part-00007', 'part-7-0000', 'part-07-000']
  for (const name of others) expect(bucketOfPart(`${name}.ndjson.gz`)).toBeUndefined()
})

it('an hour is found again in the name of its partition', () => {
  expect(hourPartition('2026010203')).toBe('hour=2026-01-02T03')
  expect(hourOfPartition('hour=2026-01-02T03')).toBe('2026010203')
})
