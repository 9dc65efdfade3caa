import { expect, it } from 'vitest'
import { checkArrival, FUTURE_SKEW_MS } from '../../src/event/arrival.ts'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'

const record: StreamRecord = {
  stream: 'events@1',
  shard: 'shardId-000000000000',
  sequence: '1',
  arrivalMs: 1_767_323_045_000,
  partitionKey: 'u-1',
  dataBase64: '',
}

function eventAt(ts: number, userId = 'u-1'): DecodedEvent {
  return { type: 'visit', id: '1', idHash: '0'.repeat(16), userId, ts, fields: new Map(), unknownFields: 0 }
}

it('takes an event up to five minutes ahead of its arrival, and none beyond', () => {
  expect(FUTURE_SKEW_MS).toBe(300_000)
  expect(checkArrival(eventAt(record.arrivalMs + FUTURE_SKEW_MS), record)).toBeUndefined()
  expect(checkArrival(eventAt(0), record)).toBeUndefined()
  expect(checkArrival(eventAt(record.arrivalMs + FUTURE_SKEW_MS + 1), record)?.reason).toBe('future')
})

it('refuses a record whose key is not the user', () => {
  expect(checkArrival(eventAt(record.arrivalMs, 'u-2'), record)?.reason).toBe('mis-keyed')
})
