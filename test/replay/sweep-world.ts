// Users with large predictions over stores in memory, and a sweep of them at an instant that the test sets.
import { expect } from 'vitest'
import type { PredictionsBody } from '../../src/predictions/evaluated-user.ts'
import {
  SPILL_GRACE_MS,
  type SweepDependencies,
  type SweepRequest,
  sweepSpills,
} from '../../src/replay/sweep-spills.ts'
import { readBody } from '../../src/store/item-codec.ts'
import { orderRecord, stored } from '../recompute/harness.ts'
import { longPredictor, longValue, type SpillHarness, spilledKeys, spillHarness } from '../recompute/spill-harness.ts'

export const START_MS = Date.UTC(2026, 0, 1)

export interface World extends SpillHarness {
  nowMs: number
  /** What receipts say, and what was there when they were written. */
  readonly receipts: { readonly keys: string[]; readonly there: number }[]
  sweep(request?: Partial<SweepRequest>, deps?: Partial<SweepDependencies>): ReturnType<typeof sweepSpills>
}

/** Values alternate with each order: the second one is left by the third, which is the first again. */
export function world(): World {
  const clock = { nowMs: START_MS }
  const run = spillHarness({ predictor: longPredictor(orders => longValue(orders % 2)) }, { clock: () => clock.nowMs })
  const receipts: World['receipts'] = []
  const deps: SweepDependencies = {
    archive: run.objects,
    remover: { remove: async key => void run.objects.objects.delete(key) },
    users: run.users,
    spills: run.spills,
    stillAlone: async () => undefined,
    writeReceipt: async objects => {
      receipts.push({ keys: objects.map(({ key }) => key), there: spilledKeys(run).length })
    },
  }
  return Object.assign(clock, {
    ...run,
    receipts,
    sweep: (request: Partial<SweepRequest> = {}, others: Partial<SweepDependencies> = {}) =>
      sweepSpills({ nowMs: clock.nowMs, graceMs: SPILL_GRACE_MS, isDryRun: false, ...request }, { ...deps, ...others }),
  })
}

export async function namedBy(run: World, user: string): Promise<string> {
  const read = readBody(await stored(run, user), 'pr')
  if ('reason' in read) throw new Error(read.reason)
  return (read.body as unknown as PredictionsBody).models['next']?.spilled?.key ?? ''
}

/** Ana has named both values, and names the second; Bob names his first. */
export async function twoUsers(): Promise<World> {
  const run = world()
  await run.deliver([orderRecord(1, 1), orderRecord(2, 2, { user: 'bob' })])
  await run.deliver([orderRecord(3, 3)])
  expect(spilledKeys(run)).toHaveLength(3)
  return run
}
