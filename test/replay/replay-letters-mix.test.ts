// The law of a replay: whatever is delivered, refused, replayed, rebuilt and cut off, in whatever order, every event counts once.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { readUser } from './backfill-world.ts'
import { type ReplayWorld, replayWorld } from './replay-world.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const everybody = { target: { kind: 'named' }, only: new Set(['user-0', 'user-1', 'user-2']) } as const

type Step =
  | { readonly kind: 'deliver' | 'refuse'; readonly from: number; readonly count: number }
  | { readonly kind: 'replay'; readonly recordsMax: number; readonly dieAt: number }
  | { readonly kind: 'rebuild' }

const range = { from: fc.nat(29), count: fc.integer({ min: 1, max: 10 }) }
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('deliver' as const, 'refuse' as const), ...range }),
  fc.record({ kind: fc.constant('replay' as const), recordsMax: fc.integer({ min: 1, max: 8 }), dieAt: fc.nat(40) }),
  fc.record({ kind: fc.constant('rebuild' as const) }),
)

it('any mix of deliveries, refusals, replays that die and rebuilds ends with every event once', async () => {
  // Of each event two records: upstream has sent it twice.
  const pool = Array.from({ length: 30 }, (_, index) =>
    orderRecord(`p${index % 20}`, index + 1, {
      user: `user-${(index % 20) % 3}`,
      ts: START + (index % 20) * 97 * MINUTE_MS,
    }),
  ).map((record, index) => ({ ...record, arrivalMs: START + DAY_MS * 2 + index }))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async steps => {
      const own = replayWorld()
      try {
        const seen = new Map<string, StreamRecord>()
        for (const one of steps) await take(own, one, { pool, seen })
        await own.replay()
        await own.backfill({ target: { kind: 'doubt' } })
        expect(await own.openLetters()).toEqual([])
        if (seen.size === 0) return
        const ids = new Set([...seen.values()].map(({ dataBase64 }) => dataBase64))
        const total = own.users
          .items()
          .map(async ({ userId }) => Number((await readUser(own.users, userId)).values['ordersEver']))
        expect((await Promise.all(total)).reduce((sum, count) => sum + count, 0)).toBe(ids.size)
        const { counts } = await own.verify()
        expect(counts).toMatchObject({ missing: 0, extra: 0, different: 0 })
      } finally {
        own.remove()
      }
    }),
    { numRuns: 40 },
  )
})

async function take(
  own: ReplayWorld,
  one: Step,
  { pool, seen }: { readonly pool: readonly StreamRecord[]; readonly seen: Map<string, StreamRecord> },
): Promise<void> {
  switch (one.kind) {
    case 'deliver':
    case 'refuse': {
      const records = pool.slice(one.from, one.from + one.count)
      for (const record of records) seen.set(record.sequence, record)
      await (one.kind === 'deliver' ? own.send(records) : own.sendRefused(records))
      return
    }
    case 'replay': {
      let calls = 0
      own.users.fault = () => (++calls > one.dieAt ? { throwBefore: new Error('died') } : undefined)
      await own.replay({ recordsMax: one.recordsMax }).catch(() => undefined)
      own.users.fault = undefined
      return
    }
    case 'rebuild':
      await own.backfill(everybody)
  }
}
