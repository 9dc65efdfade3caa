import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { rawObjects } from '../../src/archive/raw-object.ts'
import { NOON_MS, recordAt, recordsAt, sequenceOf } from './factories.ts'

describe('raw objects', () => {
  it('are named by stream, shard, hour of arrival and padded sequences', () => {
    const [object] = rawObjects([recordAt(0, { sequence: '7' }), recordAt(1, { sequence: '12' })])
    const padded = (sequence: string) => sequence.padStart(56, '0')
    expect(object?.key).toBe(`raw/events@1/shardId-000000000000/2026010212/${padded('7')}-${padded('12')}.ndjson.gz`)
  })

  it('part a batch at the turn of the hour, to the millisecond', () => {
    const turn = NOON_MS + 3_600_000
    const objects = rawObjects([recordAt(0, { arrivalMs: turn - 1 }), recordAt(1, { arrivalMs: turn })])
    expect(objects.map(({ key, records }) => [key.split('/')[3], records])).toEqual([
      ['2026010212', 1],
      ['2026010213', 1],
    ])
  })

  it('never stand for a record of another hour between two of theirs', () => {
    const turn = NOON_MS + 3_600_000
    const records = [turn - 2, turn, turn - 1, turn + 1].map((arrivalMs, index) => recordAt(index, { arrivalMs }))
    const objects = rawObjects(records.toReversed())
    expect(objects.map(({ key }) => key.split('/')[3])).toEqual([
      '2026010212',
      '2026010213',
      '2026010212',
      '2026010213',
    ])
    expect(objects.map(({ firstSequence }) => firstSequence)).toEqual([0, 1, 2, 3].map(sequenceOf))
  })

  it('part streams and shards', () => {
    const objects = rawObjects([
      recordAt(0),
      recordAt(1, { shard: 'shardId-000000000001' }),
      recordAt(2, { stream: 'events@2' }),
    ])
    expect(new Set(objects.map(({ key }) => key)).size).toBe(3)
  })

  it('are the same bytes for the same records in any order', () => {
    const records = recordsAt(0, 20)
    expect(rawObjects(records.toReversed())).toEqual(rawObjects(records))
    expect(rawObjects(records)[0]?.firstSequence).toBe(sequenceOf(0))
  })

  it('are lines of JSON that any language reads', () => {
    const [object] = rawObjects([recordAt(3)])
    const plain = gunzipSync(object?.body ?? new Uint8Array()).toString()
    expect(plain).toBe(
      `{"stream":"events@1","shard":"shardId-000000000000","sequence":"${sequenceOf(3)}",` +
        `"arrivalMs":${NOON_MS + 3000},"partitionKey":"user-3@example.com","data":"eyJuIjozfQ=="}\n`,
    )
  })
})
