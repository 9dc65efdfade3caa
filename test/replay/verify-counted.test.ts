import { describe, expect, it } from 'vitest'
import { EMPTY_DEDUP } from '../../src/affected/dedup-state.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { countedEvents, dueEvents, type ItemReach, type SetAside } from '../../src/replay/verify-counted.ts'
import { historyReader, type PastEvent, pastEventLine, readPastEventLine } from '../../src/replay/verify-history.ts'
import { START } from '../features/factories.ts'
import { orderRecord, rawRecord, shop } from '../recompute/harness.ts'

const SHARD = 'events@1/shardId-000000000000'
const BATCH = '20240226120000-aaaaaaaa'
const BATCH_MS = Date.UTC(2024, 1, 26, 12)
const NOTHING_ASIDE: SetAside = { letters: new Set(), accepted: new Map() }

const read = historyReader(compilePipeline(shop))

function past(...records: readonly StreamRecord[]): PastEvent[] {
  return records.flatMap(record => read({ kind: 'stream', record }) ?? [])
}

function imported(record: StreamRecord, batchId = BATCH): PastEvent[] {
  return [read({ kind: 'import', batchId, payload: Buffer.from(record.dataBase64, 'base64') }) ?? []].flat()
}

function reach(changes: Partial<ItemReach['dedup']> = {}, imports: readonly string[] = []): ItemReach {
  return { dedup: { ...EMPTY_DEDUP, ...changes }, imports }
}

const markedTo = (sequence: string) => reach({ marks: new Map([[SHARD, { sequence, arrivalMs: 0 }]]) })
const idsOf = (events: readonly { readonly id: string }[]): string[] => events.map(({ id }) => id)

describe('an item contains', () => {
  it('the records up to the mark of their shard, by number and not by text', () => {
    const records = past(...[8, 9, 10, 11].map(sequence => orderRecord(sequence, sequence)))
    expect(idsOf(countedEvents(records, markedTo('10'), NOTHING_ASIDE))).toEqual(['8', '9', '10'])
    const elsewhere = past(
      { ...orderRecord('x', 1), shard: 'shardId-000000000001' },
      { ...orderRecord('y', 1), stream: 'events@2' },
    )
    expect(countedEvents(elsewhere, markedTo('10'), NOTHING_ASIDE)).toEqual([])
  })

  it('what arrived before the instant that is settled', () => {
    const records = past(orderRecord(1, 1), orderRecord(2, 2), orderRecord(3, 3))
    const settledMs = (records[1]?.origin.arrivalMs ?? 0) + 1
    expect(idsOf(countedEvents(records, reach({ settledMs }), NOTHING_ASIDE))).toEqual(['1', '2'])
    expect(idsOf(countedEvents(records, reach({ settledMs: settledMs - 1 }), NOTHING_ASIDE))).toEqual(['1'])
  })

  it('the imports that it names', () => {
    const records = imported(orderRecord(1, 1))
    expect(idsOf(countedEvents(records, reach({}, [BATCH]), NOTHING_ASIDE))).toEqual(['1'])
    expect(countedEvents(records, reach({}, ['20240226120000-bbbbbbbb']), NOTHING_ASIDE)).toEqual([])
  })

  it('no record that is set aside', () => {
    const aside = { ...NOTHING_ASIDE, letters: new Set([`${SHARD}/2`]) }
    const records = past(orderRecord(1, 1), orderRecord(2, 2))
    expect(idsOf(countedEvents(records, markedTo('5'), aside))).toEqual(['1'])
  })

  it('a record that is set aside where it knows its event from nowhere else', () => {
    const aside = { ...NOTHING_ASIDE, letters: new Set([`${SHARD}/1`, `${SHARD}/2`, `${SHARD}/9`]) }
    const records = past(orderRecord(1, 1), orderRecord(2, 2), orderRecord(3, 3), orderRecord(9, 9))
    const known = [1, 8].map(index => records[index === 1 ? 1 : 3]?.event ?? { idHash: '', ts: 0 })
    const types = new Map([
      ['order.placed', { ids: known.map(({ idHash, ts }) => ({ idHash, ts })), floor: undefined }],
    ])
    const item = reach({ types, marks: new Map([[SHARD, { sequence: '3', arrivalMs: 0 }]]) })
    expect(idsOf(countedEvents(records, item, aside))).toEqual(['2', '3', '9'])
    const resent = [...past(orderRecord(2, 3, { amount: 99 })), ...records]
    const amounts = countedEvents(resent, item, aside).map(({ id, fields }) => `${id} ${String(fields.get('amount'))}`)
    expect(amounts).toContain('2 9900')
    const other = new Map([
      ['site.visited', { ids: known.map(({ idHash, ts }) => ({ idHash, ts })), floor: undefined }],
    ])
    expect(idsOf(countedEvents(records, reach({ ...item.dedup, types: other }), aside))).toEqual(['3'])
  })

  it('an event once, as it came first, from wherever', () => {
    const later = orderRecord(1, 2, { amount: 99 })
    const records = past(later, orderRecord(1, 1, { amount: 11 }))
    const [first] = countedEvents(records, markedTo('9'), NOTHING_ASIDE)
    expect(first?.fields.get('amount')).toBe(1100)
    const twice = [...past(orderRecord(1, 1, { amount: 11 })), ...imported(later)]
    expect(countedEvents(twice, { ...markedTo('9'), imports: [BATCH] }, NOTHING_ASIDE)).toHaveLength(1)
  })
})

describe('a user without an item should have one', () => {
  it('for what its shard is past and for every import, but for what is set aside', () => {
    const records = [
      ...past(orderRecord(1, 1), orderRecord(2, 2), orderRecord(3, 3), orderRecord(4, 4)),
      ...imported(orderRecord(5, 5)),
    ]
    const aside = { ...NOTHING_ASIDE, letters: new Set([`${SHARD}/1`, `${SHARD}/2`]) }
    const due = dueEvents(records, aside, ({ sequence }) => Number(sequence) < 4)
    expect(idsOf(due).toSorted()).toEqual(['3', '5'])
  })
})

describe('nobody has an event', () => {
  it('that its contract refuses, that is keyed by another, or that is ahead of its arrival', () => {
    const ahead = (ms: number) => ({ ...orderRecord(1, 1, { ts: START + ms }), arrivalMs: START })
    expect(past(rawRecord('{}', 1))).toEqual([])
    expect(past({ ...orderRecord(1, 1), partitionKey: 'ben' })).toEqual([])
    const counted = (ms: number, acceptedMs?: number) => {
      const accepted = new Map(acceptedMs === undefined ? [] : [[`${SHARD}/1`, acceptedMs] as const])
      return countedEvents(past(ahead(ms)), markedTo('5'), { ...NOTHING_ASIDE, accepted }).length
    }
    expect([counted(300_001), counted(300_000)]).toEqual([0, 1])
    // But for what a replay accepted, by its own clock.
    expect([counted(900_000, START + 600_000), counted(900_001, START + 600_000)]).toEqual([1, 0])
  })

  it('of an import that is ahead of it', () => {
    const at = (ms: number) => imported(orderRecord(1, 1, { ts: BATCH_MS + ms }))
    expect(at(301_000)).toHaveLength(1)
    expect(at(301_001)).toEqual([])
  })
})

it('an event goes through a file as it is', () => {
  for (const one of [...past(orderRecord(1, 1)), ...imported(orderRecord(2, 2))]) {
    expect(readPastEventLine(pastEventLine(one))).toEqual(one)
  }
})
