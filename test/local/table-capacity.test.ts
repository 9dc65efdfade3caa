import { expect, it } from 'vitest'
import { refuseBeyond } from './table-capacity.ts'

const PUT = 'DynamoDB_20120810.PutItem'
const bodyOf = (table: string): string => JSON.stringify({ TableName: table, Item: {} })

it('takes what is left of the last seconds and then so many a second, of each table by itself, and reads for nothing', () => {
  let nowMs = 1_000_000
  const refuse = refuseBeyond({ putsPerSecond: 10, burstSeconds: 2 }, () => nowMs)
  const taken = (table: string, tries: number): number =>
    Array.from({ length: tries }, () => refuse(PUT, bodyOf(table))).filter(refusal => refusal === undefined).length
  expect(taken('users', 50)).toBe(20)
  expect(refuse(PUT, bodyOf('users'))).toMatchObject({ code: 'ProvisionedThroughputExceededException' })
  expect(refuse('DynamoDB_20120810.BatchGetItem', bodyOf('users'))).toBeUndefined()
  expect(taken('other', 50)).toBe(20)
  nowMs += 500
  expect(taken('users', 50)).toBe(5)
  nowMs += 60_000
  expect(taken('users', 50)).toBe(20)
})
