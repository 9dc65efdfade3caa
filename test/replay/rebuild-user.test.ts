import { describe, expect, it } from 'vitest'
import { MARKS_MAX, markKey, RECENT_IDS_MAX } from '../../src/affected/decide.ts'
import { type DedupState, EMPTY_DEDUP } from '../../src/affected/dedup-state.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import type { NextItem } from '../../src/recompute/plan-user.ts'
import { type HistoryEvent, historyEvent, recordKey } from '../../src/replay/counted-events.ts'
import { rebuildUser, type UserHistory } from '../../src/replay/rebuild-user.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { after } from './backfill-world.ts'

const MINUTE_MS = 60_000

function eventOf(record: StreamRecord): HistoryEvent {
  const event = historyEvent({ kind: 'stream', record }, after)
  if ('reason' in event) throw new Error(event.detail)
  return event
}

const records = Array.from({ length: 10 }, (_, id) => orderRecord(id, id + 1, { ts: START + id * MINUTE_MS }))

function history(of: readonly StreamRecord[], changes: Partial<UserHistory> = {}): UserHistory {
  return { events: of.map(eventOf), openLetters: new Set(), included: new Set(), ...changes }
}

function marked(sequence: number, changes: Partial<DedupState> = {}): NextItem {
  const [record] = records as [StreamRecord]
  const marks = new Map([[markKey(record), { sequence: `${sequence}`, arrivalMs: START }]])
  const features = { asOf: START, values: {} }
  return { version: 4, at: START, state: {}, features, dedup: { ...EMPTY_DEDUP, marks, ...changes } }
}

function rebuilt(content: NextItem | undefined, given: UserHistory): NextItem {
  const result = rebuildUser(after, { content, imports: [] }, given)
  if (result.outcome === 'unchanged') throw new Error('unchanged')
  return result.next
}

const orders = ({ features }: NextItem): unknown => features.values['ordersEver']
const idsOf = ({ dedup }: NextItem): number => dedup.types.get('order.placed')?.ids.length ?? 0

describe('rebuildUser', () => {
  it('counts up to the mark, each event once, and evaluates at the newest', () => {
    const next = rebuilt(marked(7), history([...records, ...records.slice(0, 3)]))
    expect(next).toMatchObject({ version: 5, at: START + 6 * MINUTE_MS })
    expect([orders(next), idsOf(next)]).toEqual([7, 7])
    expect(next.features.asOf).toBe(next.at)
    expect(next.features.pending).toBeUndefined()
  })

  it('comes to rest: what it made it would make again', () => {
    const given = history(records)
    const next = rebuilt(marked(7), given)
    expect(rebuildUser(after, { content: next, imports: [] }, given)).toEqual({ outcome: 'unchanged' })
    expect(rebuildUser(after, { content: next, imports: ['gone'] }, given).outcome).toBe('rebuilt')
  })

  it('makes nothing of nothing', () => {
    expect(rebuildUser(after, { content: undefined, imports: [] }, history(records))).toEqual({ outcome: 'unchanged' })
  })

  it('never takes the floor back, and remembers all above it', () => {
    const floor = { ts: START + 4 * MINUTE_MS, idHash: 'ffffffffffffffff' }
    const next = rebuilt(marked(10, { types: new Map([['order.placed', { ids: [], floor }]]) }), history(records))
    expect(next.dedup.types.get('order.placed')?.floor).toEqual(floor)
    expect([orders(next), idsOf(next)]).toEqual([10, 5])
  })

  it('keeps a floor above everything that is left, and no ids', () => {
    const floor = { ts: START + 400 * MINUTE_MS, idHash: 'ffffffffffffffff' }
    const types = new Map([['order.placed', { ids: [], floor }]])
    const next = rebuilt(marked(10, { types }), history(records))
    expect(next.dedup.types.get('order.placed')).toEqual({ ids: [], floor })
  })

  it('keeps as many ids as a live item', () => {
    const burst = Array.from({ length: 200 }, (_, id) => orderRecord(`b${id}`, id + 1, { ts: START + id }))
    const next = rebuilt(marked(200), history(burst.toReversed()))
    expect([orders(next), idsOf(next)]).toEqual([200, RECENT_IDS_MAX])
  })

  it('does not go back in time where its events went', () => {
    const next = rebuilt({ ...marked(2), at: START + 900 * MINUTE_MS }, history(records))
    expect(next.at).toBe(START + 900 * MINUTE_MS)
    expect(orders(next)).toBe(2)
  })

  it('leaves out what has an open letter, and counts what is included, marks and all', () => {
    const [third, ninth] = [records[2], records[8]] as [StreamRecord, StreamRecord]
    const openLetters = new Set([third, ninth].map(recordKey))
    expect(orders(rebuilt(marked(7), history(records, { openLetters })))).toBe(6)
    const one = rebuilt(marked(7), history(records, { openLetters, included: new Set([recordKey(third)]) }))
    expect(orders(one)).toBe(7)
    expect(one.dedup.marks).toEqual(marked(7).dedup.marks)
    const both = rebuilt(marked(7), history(records, { openLetters, included: openLetters }))
    expect(orders(both)).toBe(9)
    expect(both.dedup.marks.get(markKey(ninth))).toEqual({ sequence: '9', arrivalMs: ninth.arrivalMs })
  })

  it('includes a letter of a shard that the item has no mark of, though it has as many as it may', () => {
    const marks = new Map(
      Array.from({ length: MARKS_MAX }, (_, shard) => [
        `events@1/old-${shard}`,
        { sequence: '1', arrivalMs: START + shard },
      ]),
    )
    const letter = records[0] as StreamRecord
    const given = history(records.slice(0, 1), {
      openLetters: new Set([recordKey(letter)]),
      included: new Set([recordKey(letter)]),
    })
    const next = rebuilt(marked(0, { marks }), given)
    expect(orders(next)).toBe(1)
    expect(next.dedup.marks.size).toBe(MARKS_MAX)
    expect(next.dedup.settledMs).toBe(START + 1)
    expect(rebuildUser(after, { content: next, imports: [] }, { ...given, openLetters: new Set() }).outcome).toBe(
      'unchanged',
    )
  })

  it('counts what arrived before `settled`, without a mark', () => {
    const next = rebuilt(marked(0, { marks: new Map(), settledMs: records[4]?.arrivalMs }), history(records))
    expect(orders(next)).toBe(4)
    expect(next.dedup.marks.size).toBe(0)
  })

  it('finds an event again that the item knows only by an import that is gone', () => {
    const known = eventOf(records[9] as StreamRecord).event
    const types = new Map([['order.placed', { ids: [{ ts: known.ts, idHash: known.idHash }], floor: undefined }]])
    // All of the shard up to it: what the stream has not brought yet is known when it does.
    expect(orders(rebuilt(marked(3, { types }), history(records)))).toBe(10)
  })

  it('counts an open letter whose event the item knows from nowhere else, and holds to it once it is closed', () => {
    const letter = records[8] as StreamRecord
    const { event } = eventOf(letter)
    const types = new Map([['order.placed', { ids: [{ ts: event.ts, idHash: event.idHash }], floor: undefined }]])
    const openLetters = new Set([letter, records[7] as StreamRecord].map(recordKey))
    const given = history(records, { openLetters })
    const next = rebuilt(marked(3, { types }), given)
    // Up to the letter, without the other one.
    expect(orders(next)).toBe(8)
    const closed = history(records, { openLetters: new Set([recordKey(records[7] as StreamRecord)]) })
    expect(rebuildUser(after, { content: next, imports: [] }, closed)).toEqual({ outcome: 'unchanged' })
    const unknown = rebuilt(marked(9), history(records, { openLetters }))
    expect(orders(unknown)).toBe(7)
  })

  it('leaves an open letter out where another record brought its event', () => {
    const [letter, resent] = [records[1] as StreamRecord, orderRecord(1, 20, { amount: 99, ts: START + MINUTE_MS })]
    const { event } = eventOf(letter)
    const types = new Map([['order.placed', { ids: [{ ts: event.ts, idHash: event.idHash }], floor: undefined }]])
    const openLetters = new Set([recordKey(letter)])
    const alone = rebuilt(marked(20, { types }), history([letter, resent], { openLetters }))
    const due = rebuilt(marked(20, { types }), history([resent]))
    expect(alone.state).toEqual(due.state)
    expect(alone.state).not.toEqual(rebuilt(marked(20, { types }), history([letter, resent])).state)
  })
})
