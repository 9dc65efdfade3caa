// What people and schedules do while events stream in: backfills, snapshots, swapped models, deploys, shards split and merged, GETs.
// Each is a process of its own, which may die; whoever runs it runs it again some other time.
import { backfill, type BackfillRequest } from '../../src/replay/backfill.ts'
import type { BackfillCounts } from '../../src/replay/backfill-settle.ts'
import { openHistory } from '../../src/archive/open-history.ts'
import { corruptUsers, repairUsers } from '../../src/replay/repair-users.ts'
import type { RepairResult } from '../../src/replay/repair-write.ts'
import { replayLetters } from '../../src/replay/replay-letters.ts'
import { serveHttp } from '../../src/serve/serve-http.ts'
import { featuresAt } from '../../src/serve/evaluate-user.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { predictOne } from '../../src/predictions/predictor.ts'
import { gatewayEvent } from '../fakes/http-gateway.ts'
import { checkAnswer } from './check-answer.ts'
import { Broken } from './watch.ts'
import { STREAM, type Simulation } from './world.ts'

/** No file is made: what a seed holds fits into memory. */
const SPOOL_DIR = '/nonexistent'
const WAIT_MS = 600_000

export type Operation = (simulation: Simulation) => Promise<unknown>

export async function runBackfill(
  simulation: Simulation,
  request: Pick<BackfillRequest, 'target' | 'only'>,
): Promise<BackfillCounts | undefined> {
  const { scheduler, deployed, live } = simulation
  const process = simulation.newProcess(`backfill ${request.target.kind}`)
  const { users, archive, catalog, predictor } = simulation.ports(process)
  const run = async (): Promise<BackfillCounts> => {
    const history = await openHistory({ catalog, archive, db: deployed.before.pipeline.name, spoolDir: SPOOL_DIR })
    const sources = { users, archive, history, spoolDir: SPOOL_DIR, clock: scheduler.clock, sleep: process.sleep }
    return backfill(
      { ...request, waitMs: WAIT_MS, by: 'simulation' },
      { ...sources, compiled: live, predictor: predictor(live) },
    )
  }
  const counts = await Promise.race([run(), process.died.then(() => undefined)])
  simulation.trace(`${process.name}: ${JSON.stringify(counts)}`)
  return counts
}

/** Whoever cannot be read. */
export async function repair(simulation: Simulation): Promise<void> {
  const { scheduler, deployed, live, epoch } = simulation
  const process = simulation.newProcess('repair')
  const { users, archive, catalog, predictor, tip } = simulation.ports(process)
  const run = async (): Promise<readonly RepairResult[]> => {
    const history = await openHistory({ catalog, archive, db: deployed.before.pipeline.name, spoolDir: SPOOL_DIR })
    const userIds = await corruptUsers(users, live)
    const sources = { users, archive, history, spoolDir: SPOOL_DIR, clock: scheduler.clock, sleep: process.sleep }
    return repairUsers(
      { userIds, stream: `${STREAM}@${epoch()}`, waitMs: WAIT_MS, by: 'simulation', who: 'simulation' },
      { ...sources, compiled: live, predictor: predictor(live), tip },
    )
  }
  const results = await Promise.race([run(), process.died.then(() => [])])
  simulation.trace(`repair: ${results.map(({ userId, outcome }) => `${userId} ${outcome}`).join(', ')}`)
}

/** All that are open; what is refused again stays so. */
export async function replayLettersOf(simulation: Simulation): Promise<void> {
  const { scheduler, deployed, live, random } = simulation
  const process = simulation.newProcess('replay')
  const { users, archive, catalog, predictor } = simulation.ports(process)
  const db = deployed.before.pipeline.name
  const run = replayLetters(
    { choice: {}, waitMs: WAIT_MS, by: 'simulation' },
    {
      openHistory: () => openHistory({ catalog, archive, db, spoolDir: SPOOL_DIR }),
      compiled: live,
      users,
      archive,
      predictor: predictor(live),
      random,
      clock: scheduler.clock,
      sleep: process.sleep,
      spoolDir: SPOOL_DIR,
    },
  )
  const report = await Promise.race([run, process.died.then(() => undefined)])
  simulation.trace(`replay: ${JSON.stringify(report)}`)
}

/** An operator's command that fails is run again another time. */
export async function forgiving(simulation: Simulation, operation: () => Promise<unknown>): Promise<void> {
  try {
    await operation()
  } catch (error) {
    if (error instanceof Broken) throw error
    simulation.trace(`an operator's command fails: ${String(error)}`)
  }
}

export async function get(simulation: Simulation, userId: string): Promise<void> {
  const { scheduler, live, committed } = simulation
  const process = simulation.newProcess('serve')
  const { users, predictor: predictorOf } = simulation.ports(process)
  const predictor = predictorOf(live)
  const fromMs = scheduler.clock()
  let atMs = fromMs
  const handle = serveHttp({
    load: id => users.load(id),
    featuresAt: (item, instantMs) => featuresAt(live, item, instantMs),
    predict: features => predictOne(predictor, features),
    productionBatches: () => predictor.production(),
    definitions: live.definitions,
    clock: () => (atMs = scheduler.clock()),
    report: () => undefined,
  })
  const request = gatewayEvent({ route: '/users/{userId}', pathParameters: { userId } })
  const answer = await Promise.race([handle(request), process.died.then(() => undefined)])
  if (answer === undefined) return
  const versions = committed.between(userId, fromMs, scheduler.clock())
  const damaged = simulation.damaged.has(userId)
  const problem = checkAnswer(answer, { versions, atMs, compiled: live, isDamaged: damaged, userId })
  if (problem !== undefined) simulation.broken.push(new Broken(`GET of ${userId}: ${problem}`))
}

export async function snapshot(simulation: Simulation): Promise<void> {
  const { scheduler, live } = simulation
  const process = simulation.newProcess('snapshot')
  const { users, catalog, predictor } = simulation.ports(process)
  const deps = { compiled: live, users, catalog, predictor: predictor(live) }
  const request = { instantMs: scheduler.clock(), who: 'simulation', why: 'nightly' }
  const report = await Promise.race([takeSnapshot(deps, request), process.died.then(() => undefined)])
  simulation.trace(`snapshot: ${report === undefined ? 'died' : `${report.users} users`}`)
}

export function reshard(simulation: Simulation): void {
  const { faults, random, trace } = simulation
  const stream = simulation.stream()
  const open = stream.openShards()
  const [first, second] = [open[Math.floor(random() * open.length)], open[0]]
  if (first === undefined || second === undefined) return
  if (faults.fires('split', 3) && open.length < 6) {
    trace(`split of ${first}`)
    stream.split(first)
  } else if (first !== second && faults.fires('merge', 3)) {
    trace(`merge of ${first} and ${second}`)
    stream.merge(first, second)
  }
}
