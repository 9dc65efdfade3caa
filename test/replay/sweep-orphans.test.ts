// What the plain sweep of sweep-spills.test.ts does not meet: values of users that have no item, and a second sweep.
import { describe, expect, it, vi } from 'vitest'
import { LEASE_MS, leases, whileHeld } from '../../src/catalog/lease.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { SPILL_GRACE_MS, type SweepDependencies } from '../../src/replay/sweep-spills.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { orderRecord } from '../recompute/harness.ts'
import { spilledKeys } from '../recompute/spill-harness.ts'
import { namedBy, twoUsers, type World, world } from './sweep-world.ts'

/** A value of Carol, by a function that died before it had put her first item. */
async function carolLeftOne(): Promise<{
  readonly run: World
  readonly key: string
  readonly comeBack: () => Promise<unknown>
}> {
  const run = world()
  const comeBack = () => run.deliver([orderRecord(1, 1, { user: 'carol' })])
  run.users.fault = ({ operation }) => (operation === 'put' ? { throwBefore: new Error('dead') } : undefined)
  await comeBack()
  run.users.fault = undefined
  expect(await run.users.load('carol')).toBeUndefined()
  const [key = '', ...others] = spilledKeys(run)
  expect(others).toEqual([])
  run.nowMs += SPILL_GRACE_MS
  return { run, key, comeBack }
}

describe('a value of a user without an item', () => {
  it.each(['before it is gone', 'after it is gone', 'while everybody is looked through'])(
    'is kept for one who comes %s',
    async when => {
      const { run, key, comeBack } = await carolLeftOne()
      let scans = 0
      const users: SweepDependencies['users'] = {
        ...run.users,
        scan: async function* scan(segment, segments, after, options) {
          // The second time, and when none of it is read.
          if (++scans === 9 && when.startsWith('while')) await comeBack()
          yield* run.users.scan(segment, segments, after, options)
        },
      }
      const remove = async (removed: string) => {
        if (when.startsWith('before')) await comeBack()
        run.objects.objects.delete(removed)
        if (when.startsWith('after')) await comeBack()
      }
      const report = await run.sweep({}, { users, remover: { remove } })
      expect(await namedBy(run, 'carol')).toBe(key)
      expect(run.objects.objects.has(key)).toBe(true)
      // Who comes while they are looked through is seen or not; then he has written it anew.
      expect(report.removed + report.returned).toBe(1)
      if (!when.startsWith('while')) expect(report.returned).toBe(1)
    },
  )

  it('is looked for by a scan that misses nobody, and is gone where nobody names it', async () => {
    const { run } = await carolLeftOne()
    const asked: unknown[] = []
    const users: SweepDependencies['users'] = {
      ...run.users,
      scan: (segment, segments, after, options) => {
        asked.push(options?.isConsistent ?? false)
        return run.users.scan(segment, segments, after, options)
      },
    }
    expect(await run.sweep({}, { users })).toMatchObject({ removed: 1, returned: 0 })
    expect(spilledKeys(run)).toEqual([])
    expect(asked).toEqual([...Array(8).fill(false), ...Array(8).fill(true)])
  })

  it('is put back also where another removal fails', async () => {
    const { run, key, comeBack } = await carolLeftOne()
    const other = `spill/00/${'0'.repeat(64)}/${'1'.repeat(64)}`
    run.nowMs -= SPILL_GRACE_MS
    await run.objects.create(other, Buffer.from('x'))
    run.nowMs += SPILL_GRACE_MS
    const remove = async (removed: string) => {
      if (removed === other) throw new Error('the bucket is down')
      await comeBack()
      run.objects.objects.delete(removed)
    }
    await expect(run.sweep({}, { remover: { remove } })).rejects.toThrow('the bucket is down')
    expect(await namedBy(run, 'carol')).toBe(key)
    expect(run.objects.objects.has(key)).toBe(true)
  })

  it('waits for the next run where there is no room to hold it, and is in no receipt then', async () => {
    const { run, key } = await carolLeftOne()
    expect(await run.sweep({ orphanBytesMax: 10 })).toMatchObject({ removed: 0, left: 1 })
    expect(run.receipts).toEqual([])
    expect(spilledKeys(run)).toEqual([key])
    expect(await run.sweep()).toMatchObject({ removed: 1, left: 0 })
  })
})

describe('two sweeps at once', () => {
  const REMOVALS = { db: 'removals', table: 'shop' }

  /** Both on one catalogue, with a clock of their own that tests move. */
  async function alternating() {
    const run = await twoUsers()
    const kept = await namedBy(run, 'ana')
    const old = spilledKeys(run).find(key => key.startsWith(kept.slice(0, 20)) && key !== kept) ?? ''
    run.nowMs += SPILL_GRACE_MS
    let leaseMs = 0
    const takeLease = leases({ store: memoryCatalogStore(), clock: () => leaseMs, random: seededRandom(1) })
    const sweep = async (who: string, deps: Partial<SweepDependencies> = {}) =>
      whileHeld(await takeLease(REMOVALS, 'dev.spills', { who, what: 'users sweep-spills' }), stillAlone =>
        run.sweep({}, { stillAlone, ...deps }),
      )
    return { run, old, sweep, wait: (ms: number) => void (leaseMs += ms) }
  }

  it('are one: the second is refused and told who is at it, until the first one has ended', async () => {
    const { run, sweep, wait } = await alternating()
    const refused: unknown[] = []
    const remove = async (key: string) => {
      wait(LEASE_MS - 1)
      refused.push(await sweep('bob').catch((error: unknown) => error))
      run.objects.objects.delete(key)
    }
    expect(await sweep('ana', { remover: { remove } })).toMatchObject({ removed: 1 })
    expect(refused).toEqual([
      expect.objectContaining({ code: 'lease-held', message: expect.stringContaining('ana is at it') }),
    ])
    expect(run.receipts).toHaveLength(1)
    expect(await sweep('bob')).toMatchObject({ objects: 2, removed: 0 })
  })

  it('take nothing that a user has written anew, though the first one stood still for longer than it may', async () => {
    const { run, old, sweep, wait } = await alternating()
    const { users } = run.dependencies
    let letPut: () => void = () => undefined
    const gate = new Promise<void>(resolve => (letPut = resolve))
    let comeBack: Promise<unknown> = Promise.resolve()
    const archive: SweepDependencies['archive'] = {
      ...run.objects,
      async get(key) {
        if (key === old && run.receipts.length === 1) {
          wait(LEASE_MS)
          expect(await sweep('bob')).toMatchObject({ removed: 1 })
          // Ana's value again: a new object, and an item that is not put yet.
          run.dependencies = {
            ...run.dependencies,
            users: { ...users, put: async (...put) => gate.then(() => users.put(...put)) },
          }
          comeBack = run.deliver([orderRecord(4, 4)])
          await vi.waitUntil(() => run.objects.objects.has(old))
        }
        return run.objects.get(key)
      },
    }
    await expect(sweep('ana', { archive })).rejects.toMatchObject({ code: 'lease-lost' })
    letPut()
    await comeBack
    expect(await namedBy(run, 'ana')).toBe(old)
    expect(run.objects.objects.has(old)).toBe(true)
    // Each said what it was about to remove.
    expect(run.receipts.map(({ keys }) => keys)).toEqual([[old], [old]])
  })
})
