// What people and the world do between two records: shards are split and merged, code and models are deployed, mappings die, are paused
// or made anew, bytes rot, buckets are out, and operators run their commands, some of which die.
import type { BackfillRequest } from '../../src/replay/backfill.ts'
import { damaged } from './damage.ts'
import type { Mappings } from './mappings.ts'
import { forgiving, get, replayLettersOf, repair, reshard, runBackfill, snapshot } from './operators.ts'
import type { Simulation } from './world.ts'

const OUTAGE_MAX_MS = 180_000
const GET_SHARE = 0.1

export interface Interference {
  readonly simulation: Simulation
  readonly mappings: Mappings
  /** What was begun and is not over. */
  readonly tasks: Promise<unknown>[]
}

export async function interfere(interference: Interference): Promise<void> {
  operate(interference)
  deploy(interference)
  await breakThings(interference)
}

function operate({ simulation, tasks }: Interference): void {
  const { faults, random, log } = simulation
  const start = (operation: () => Promise<unknown>): void => void tasks.push(forgiving(simulation, operation))
  const someone = log[Math.floor(random() * log.length)]?.event?.userId
  if (someone !== undefined && random() < GET_SHARE) start(() => get(simulation, someone))
  if (faults.fires('snapshot', 0.1)) start(() => snapshot(simulation))
  if (faults.fires('backfill', 0.5)) start(() => runBackfill(simulation, anyBackfill(simulation)))
  if (faults.fires('repair', 0.5)) start(() => repair(simulation))
  if (faults.fires('replay of letters', 0.5)) start(() => replayLettersOf(simulation))
}

function deploy({ simulation }: Interference): void {
  const { faults, random, models, deployed, functions, trace } = simulation
  if (faults.fires('model swap')) models.publish(models.current + 1)
  if (!faults.fires('other code')) return
  simulation.live = simulation.live === deployed.before ? deployed.after : deployed.before
  trace('other code is deployed')
  // Some go on with the code that they have.
  if (random() < 0.5) functions.recompute.dropIdle()
}

async function breakThings({ simulation, mappings, tasks }: Interference): Promise<void> {
  const { faults, random, archiveBucket, scheduler } = simulation
  reshard(simulation)
  if (faults.fires('damage', 0.3)) damageSomebody(simulation)
  if (faults.fires('archive outage', 0.5)) archiveBucket.outageUntilMs = scheduler.clock() + random() * OUTAGE_MAX_MS
  if (faults.fires('mapping restart')) await mappings.restart(random() < 0.5 ? 'recompute' : 'archive')
  if (faults.fires('mapping paused', 0.3)) tasks.push(mappings.pause())
  if (faults.fires('backlog skipped', 0.3)) await mappings.skipBacklog()
  if (faults.fires('stream created anew', 0.2)) await mappings.recreateStream()
}

function damageSomebody({ table, random, damaged: known, trace }: Simulation): void {
  const [userId, attributes] = [...table.items][Math.floor(random() * table.items.size)] ?? []
  if (userId === undefined || attributes === undefined) return
  known.add(userId)
  trace(`the item of ${userId} is damaged`)
  table.damage(userId, damaged(attributes, random))
}

function anyBackfill({ random, log }: Simulation): Pick<BackfillRequest, 'target' | 'only'> {
  const kinds = ['incomplete', 'doubt', 'letters', 'named', 'named', 'named'] as const
  const kind = kinds[Math.floor(random() * kinds.length)] ?? 'doubt'
  switch (kind) {
    case 'letters':
      return { target: { kind, reason: 'late' } }
    case 'incomplete':
      return { target: { kind, feature: undefined } }
    case 'named':
      return { target: { kind }, only: new Set(log.flatMap(({ event }) => event?.userId ?? [])) }
    case 'doubt':
      return { target: { kind } }
  }
}
