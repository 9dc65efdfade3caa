import { describe, expect, it } from 'vitest'
import { DedupLedger, type Decision, MARKS_MAX, RECENT_IDS_MAX } from '../../src/affected/decide.ts'
import { type DedupState, EMPTY_DEDUP } from '../../src/affected/dedup-state.ts'
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { eventIdHash } from '../../src/platform/hash.ts'
import { seededRandom } from '../../src/platform/random.ts'

const HOUR = 3_600_000
const LATENESS = 6 * HOUR

interface Delivery {
  readonly event: DecodedEvent
  readonly record: StreamRecord
}

function delivery(type: string, id: number, ts: number, sequence: number, shard = 0): Delivery {
  const event = {
    type,
    id: `${id}`,
    idHash: eventIdHash(type, `${id}`),
    userId: 'ana',
    ts,
    fields: new Map(),
    unknownFields: 0,
  }
  const record = {
    stream: 'events@1',
    shard: `shard-${shard}`,
    sequence: `${sequence}`,
    arrivalMs: ts,
    partitionKey: 'ana',
    dataBase64: '',
  }
  return { event, record }
}

function deliver(state: DedupState, batch: readonly Delivery[]): { state: DedupState; decisions: Decision[] } {
  const ledger = new DedupLedger(state)
  const decisions = batch.map(({ event, record }) => ledger.decide(event, record))
  const isFolded = decisions.includes('fold')
  return { state: isFolded ? ledger.close(() => LATENESS) : state, decisions }
}

describe('DedupLedger', () => {
  it('folds once, and knows a duplicate by its id whatever its sequence', () => {
    const first = deliver(EMPTY_DEDUP, [delivery('order', 1, HOUR, 5), delivery('order', 1, HOUR, 6)])
    expect(first.decisions).toEqual(['fold', 'duplicate'])
    expect(deliver(first.state, [delivery('order', 1, HOUR, 5), delivery('order', 1, HOUR, 9, 1)]).decisions).toEqual([
      'duplicate',
      'duplicate',
    ])
  })

  it('knows every id of many, of those before and of the same batch, however few or many they were', () => {
    let state = EMPTY_DEDUP
    for (let count = 1; count <= 100; count++) {
      const batch = Array.from({ length: count }, (_, id) => delivery('order', id, 1000 + id, id))
      const twice = [...batch, ...batch]
      const { decisions, state: next } = deliver(state, twice)
      expect(decisions.slice(0, count - 1)).toEqual(batch.slice(1).map(() => 'duplicate'))
      expect(decisions.slice(count - 1)).toEqual(['fold', ...batch.map(() => 'duplicate')])
      state = next
    }
    expect(state.types.get('order')?.ids).toHaveLength(100)
  })

  it('folds an event above the floor although the mark is past it: it was skipped, not folded', () => {
    const later = deliver(EMPTY_DEDUP, [delivery('order', 2, HOUR, 9)])
    expect(deliver(later.state, [delivery('order', 1, HOUR - 1, 5)]).decisions).toEqual(['fold'])
  })

  it('below the floor says below-floor up to the mark of the shard, and late beyond it', () => {
    const newest = deliver(deliver(EMPTY_DEDUP, [delivery('order', 1, HOUR, 5)]).state, [
      delivery('order', 2, 20 * HOUR, 6),
    ])
    expect(deliver(newest.state, [delivery('order', 1, HOUR, 5)]).decisions).toEqual(['below-floor'])
    expect(deliver(newest.state, [delivery('order', 3, HOUR - 5, 7)]).decisions).toEqual(['late'])
    expect(deliver(newest.state, [delivery('order', 3, HOUR - 5, 5, 1)]).decisions).toEqual(['late'])
  })

  it('keeps floors of types apart', () => {
    const state = deliver(EMPTY_DEDUP, [delivery('order', 1, HOUR, 5), delivery('order', 2, 40 * HOUR, 6)]).state
    expect(deliver(state, [delivery('click', 1, HOUR / 2, 7)]).decisions).toEqual(['fold'])
  })

  it('compares sequences as numbers of any length', () => {
    const long = '49590338271490256608559692538361571095921575989136588898'
    const ledger = new DedupLedger(EMPTY_DEDUP)
    const one = delivery('order', 1, HOUR, 9)
    ledger.decide(one.event, one.record)
    const two = delivery('order', 2, HOUR, 9)
    ledger.decide(two.event, { ...two.record, sequence: long })
    expect([...ledger.close(() => LATENESS).marks.values()].map(mark => mark.sequence)).toEqual([long])
  })

  it('keeps at most the newest ids and raises the floor to what it evicted', () => {
    const many = Array.from({ length: RECENT_IDS_MAX + 10 }, (_, index) =>
      delivery('order', index, HOUR + index, index + 1),
    )
    const type = deliver(EMPTY_DEDUP, many).state.types.get('order')
    expect(type?.ids).toHaveLength(RECENT_IDS_MAX)
    expect(type?.floor?.ts).toBe(HOUR + 9)
  })

  it('prunes the mark that arrived first, and leaves settled behind', () => {
    const batch = Array.from({ length: MARKS_MAX + 2 }, (_, index) => delivery('order', index, HOUR + index, 1, index))
    const { marks, settledMs } = deliver(EMPTY_DEDUP, batch).state
    expect(marks.size).toBe(MARKS_MAX)
    expect(marks.has('events@1/shard-0')).toBe(false)
    // The second pruned record arrived at HOUR + 1, and what arrived before `settled` counts: it must.
    expect(settledMs).toBe(HOUR + 2)
  })

  it('advances a mark by what is folded from its own stream and shard, and never back', () => {
    const first = deliver(EMPTY_DEDUP, [delivery('order', 1, HOUR, 9)]).state
    const repeat = delivery('order', 1, HOUR, 12)
    const elsewhere = delivery('order', 3, HOUR, 20)
    const { marks } = deliver(first, [
      delivery('order', 2, HOUR, 7),
      repeat,
      { ...elsewhere, record: { ...elsewhere.record, stream: 'events@2' } },
    ]).state
    expect([...marks].map(([key, { sequence }]) => `${key} ${sequence}`)).toEqual([
      'events@1/shard-0 9',
      'events@2/shard-0 20',
    ])
  })

  it('tells events at the instant of the floor apart by their ids', () => {
    const [lowest, floor, kept, unseen] = Array.from({ length: 4 }, (_, id) =>
      delivery('order', id, HOUR, id + 1),
    ).sort((a, b) => (a.event.idHash < b.event.idHash ? -1 : 1)) as [Delivery, Delivery, Delivery, Delivery]
    const ledger = new DedupLedger(EMPTY_DEDUP)
    for (const { event, record } of [lowest, floor, unseen]) ledger.decide(event, record)
    const state = ledger.close(() => LATENESS, 1)
    expect(state.types.get('order')?.floor?.idHash).toBe(floor.event.idHash)
    expect(deliver(state, [kept, floor]).decisions[0]).toBe('fold')
    expect(deliver(state, [floor]).decisions).not.toContain('fold')
  })

  it('keeps an id for the whole lateness, and no longer', () => {
    const idsAfter = (ms: number) =>
      deliver(EMPTY_DEDUP, [delivery('order', 1, HOUR, 1), delivery('order', 2, HOUR + ms, 2)]).state.types.get('order')
    expect(idsAfter(LATENESS)).toMatchObject({ ids: [{ ts: HOUR }, { ts: HOUR + LATENESS }], floor: undefined })
    expect(idsAfter(LATENESS + 1)).toMatchObject({ ids: [{ ts: HOUR + LATENESS + 1 }], floor: { ts: HOUR } })
  })

  it('settles nothing while all marks fit, and never goes back on what is settled', () => {
    const batch = Array.from({ length: MARKS_MAX + 1 }, (_, index) => delivery('order', index, HOUR + index, 1, index))
    expect(deliver(EMPTY_DEDUP, batch.slice(1)).state).toMatchObject({ settledMs: undefined })
    expect(deliver({ ...EMPTY_DEDUP, settledMs: 2 * HOUR }, batch).state.settledMs).toBe(2 * HOUR)
  })

  it('takes what arrived before settled for what was folded or skipped, as a mark that is pruned says it', () => {
    const batch = Array.from({ length: MARKS_MAX + 1 }, (_, index) => delivery('order', index, HOUR + index, 5, index))
    const newest = delivery('order', 99, 40 * HOUR, 6, MARKS_MAX)
    const { state } = deliver(deliver(EMPTY_DEDUP, batch).state, [newest])
    expect(state.marks.has('events@1/shard-0')).toBe(false)
    // Folded once, and let go of: a letter would say that it counts for nobody.
    expect(deliver(state, batch.slice(0, 1)).decisions).toEqual(['below-floor'])
    expect(deliver(state, [delivery('order', 100, HOUR + 1, 7, 99)]).decisions).toEqual(['late'])
  })

  it('loses nothing unseen and doubles nothing, over late, duplicate, reordered, skipped and replayed deliveries', () => {
    const totals = { events: 0, belowFloor: 0, late: 0, duplicates: 0 }
    for (let seed = 1; seed <= 120; seed++) simulate(seed, totals)
    // The run must really have met every kind of decision.
    for (const [kind, count] of Object.entries(totals)) expect(`${kind} ${count > 100}`).toBe(`${kind} true`)
  })
})

function simulate(
  seed: number,
  totals: { events: number; belowFloor: number; late: number; duplicates: number },
): void {
  const random = seededRandom(seed)
  const all = makeDeliveries(random)
  const folded = new Map<string, number>()
  const seen = new Map<string, Set<Decision>>()
  let state = EMPTY_DEDUP
  for (const batch of disturb(all, random)) {
    const result = deliver(state, batch)
    state = result.state
    for (const [index, { event }] of batch.entries()) {
      const decision = result.decisions[index] as Decision
      if (decision === 'fold') folded.set(event.idHash, (folded.get(event.idHash) ?? 0) + 1)
      seen.set(event.idHash, (seen.get(event.idHash) ?? new Set()).add(decision))
      totals.belowFloor += decision === 'below-floor' ? 1 : 0
      totals.late += decision === 'late' ? 1 : 0
      totals.duplicates += decision === 'duplicate' ? 1 : 0
    }
  }
  for (const [idHash, decisions] of seen) {
    totals.events++
    expect(folded.get(idHash) ?? 0, `seed ${seed}: folded more than once`).toBeLessThanOrEqual(1)
    const isAccounted = folded.has(idHash) || decisions.has('late') || decisions.has('below-floor')
    expect(isAccounted, `seed ${seed}: lost unseen`).toBe(true)
  }
}

function makeDeliveries(random: () => number): Delivery[] {
  const result: Delivery[] = []
  let now = 100 * HOUR
  let sequence = 0
  for (let id = 0; id < 400; id++) {
    now += Math.floor(random() ** 2 * 600_000)
    const lateBy = (random() < 0.2 ? random() * LATENESS * 0.9 : 0) + (random() < 0.02 ? LATENESS * 3 : 0)
    const ts = Math.floor(now - lateBy)
    const type = random() < 0.85 ? 'click' : 'order'
    const copies = random() < 0.05 ? 2 : 1
    for (let copy = 0; copy < copies; copy++) result.push(delivery(type, id, ts, ++sequence, random() < 0.5 ? 0 : 1))
  }
  return result
}

/** Redelivers, reorders, skips and replays, as Kinesis, Lambda and operators do. */
function disturb(all: readonly Delivery[], random: () => number): Delivery[][] {
  const batches: Delivery[][] = []
  for (let index = 0; index < all.length; ) {
    const size = 1 + Math.floor(random() * 30)
    batches.push(all.slice(index, index + size))
    index += size
  }
  const deliveries: Delivery[][] = []
  const skipped: Delivery[][] = []
  for (const [index, batch] of batches.entries()) {
    if (random() < 0.04) skipped.push(batch)
    else deliveries.push(batch)
    if (random() < 0.1) deliveries.push(batches[Math.max(0, index - Math.floor(random() * 5))] ?? [])
    if (random() < 0.05 && deliveries.length > 1) deliveries.push(...deliveries.splice(-2).reverse())
  }
  return [...deliveries, ...skipped, ...batches]
}
