// Planning one PutRecords: laws over any waiting list, and the limits at their edges.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ENTRIES_PER_PUT_MAX, entryBytes, PUT_BYTES_MAX } from '../../src/event/event-stream-writer.ts'
import { planPut } from '../../src/event/plan-put.ts'

const KIB = 1024
const NOBODY: ReadonlySet<string> = new Set()

function waitingEntry(partitionKey: string, bytes = 10) {
  return { entry: { partitionKey, data: new Uint8Array(bytes) } }
}

describe('planPut', () => {
  it('takes 500 entries and leaves the 501st', () => {
    const waiting = Array.from({ length: 501 }, (_, index) => waitingEntry(`u${index}`))
    const plan = planPut(waiting, { heldUsers: NOBODY, oneEntryPerUser: false })
    expect(plan.now).toEqual(waiting.slice(0, 500))
    expect(plan.later).toEqual(waiting.slice(500))
  })

  it('takes 5 MiB exactly, keys counted in UTF-8, and not a byte more', () => {
    const key = 'ü'
    const full = Array.from({ length: 5 }, () => waitingEntry(key, KIB * KIB - 2))
    expect(planPut(full, { heldUsers: NOBODY, oneEntryPerUser: false }).now).toHaveLength(5)
    const over = [waitingEntry('ab', KIB * KIB - 1), ...full.slice(1)]
    expect(planPut(over, { heldUsers: NOBODY, oneEntryPerUser: false }).now).toHaveLength(4)
  })

  it('loses nothing, keeps the limits and never lets an entry pass an earlier one of its user', () => {
    const waitingList = fc.array(
      fc.record({ user: fc.constantFrom('a', 'b', 'c', 'd'), bytes: fc.constantFrom(1, 600 * KIB, 1000 * KIB) }),
      { maxLength: 40, size: 'max' },
    )
    const held = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 2 })
    fc.assert(
      fc.property(waitingList, held, fc.boolean(), (list, heldUsers, oneEntryPerUser) => {
        const waiting = list.map(({ user, bytes }, index) => ({ ...waitingEntry(user, bytes), index }))
        const { now, later } = planPut(waiting, { heldUsers: new Set<string>(heldUsers), oneEntryPerUser })
        expect([...now, ...later].map(({ index }) => index).sort((a, b) => a - b)).toEqual(
          waiting.map((_, index) => index),
        )
        expect(now.length).toBeLessThanOrEqual(ENTRIES_PER_PUT_MAX)
        expect(now.reduce((sum, { entry }) => sum + entryBytes(entry), 0)).toBeLessThanOrEqual(PUT_BYTES_MAX)
        for (const user of ['a', 'b', 'c', 'd'] as const) {
          const ofUser = (entries: typeof waiting | typeof now) =>
            entries.filter(({ entry }) => entry.partitionKey === user).map(({ index }) => index)
          expect([...ofUser(now), ...ofUser(later)]).toEqual(ofUser(waiting))
          if (heldUsers.some(heldUser => heldUser === user)) expect(ofUser(now)).toEqual([])
          if (oneEntryPerUser) expect(ofUser(now).length).toBeLessThanOrEqual(1)
        }
        const isProgress =
          now.length > 0 || waiting.every(({ entry }) => heldUsers.some(user => user === entry.partitionKey))
        expect(isProgress).toBe(true)
      }),
    )
  })
})
