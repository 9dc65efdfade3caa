// Workers killed with SIGKILL while batches are in their hands, round after round, in the local cloud with the packaged functions; then
// every record and every user is compared with what must be there. `--rounds N`, `--seed N`. It exits 0 when all holds.
import { deepStrictEqual, ok } from 'node:assert'
import { parseArgs } from 'node:util'
import { type LocalCloud, startLocalCloud } from '../../localstack/local-cloud.ts'
import { localKinesisClient } from '../../localstack/kinesis-streams.ts'
import { STAGE_DEFAULT } from '../../src/cli/stage.ts'
import { type Connection, connect } from '../../src/compose/connect.ts'
import { systemClock } from '../../src/platform/clock.ts'
import flights from '../../src/pipeline/index.ts'
import { type Random, seededRandom } from '../../src/platform/random.ts'
import { allItems, checkFlights } from './flight-oracle.ts'
import { flightTraffic } from './flight-traffic.ts'
import { packagedCloud } from './packaged-cloud.ts'
import { putRecords } from './put-records.ts'
import { chooseMoment, type Moment, type MomentKind, whenMoment } from './sigkill-moments.ts'

const ROUNDS_DEFAULT = 5
const RECORDS_MIN = 200
const RECORDS_MAX = 500
/** Rounds that begin while the one before is still being dealt with. */
const BACKLOG_SHARE = 0.3
/** A moment that does not come, such as a dead letter when there is none, ends its round. */
const MOMENT_TIMEOUT_MS = 10_000
const DRAIN_TIMEOUT_MS = 120_000
/** Of all kills, how many must have hit an invocation: the others found their worker between two. */
const IN_FLIGHT_SHARE_MIN = 0.3

interface Kills {
  /** By moment: workers killed. */
  readonly workers: Map<MomentKind, number>
  roundsWithTwo: number
}

const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } })
const rounds = Number(values.rounds ?? ROUNDS_DEFAULT)
const seed = Number(values.seed ?? 1)
const startedMs = systemClock()
const packaged = await packagedCloud({ shards: 2, archiveWindowSeconds: 1, recomputeWindowSeconds: 0 })
const lastLines: string[] = []
const cloud = await startLocalCloud({
  build: packaged.build,
  port: 0,
  pollMs: 20,
  log: (source, line) => void (lastLines.push(`${source}: ${line}`) > 20 && lastLines.shift()),
})
const connection = connect({
  pipeline: flights.name,
  stage: STAGE_DEFAULT,
  env: { AWS_ENDPOINT_URL: cloud.endpoint },
})
const kinesis = localKinesisClient(cloud.endpoint)
try {
  await cloud.startAll()
  say(`the cloud is up after ${seconds()} s; ${rounds} rounds, seed ${seed}`)
  const random = seededRandom(seed)
  const traffic = flightTraffic(seed)
  const kills: Kills = { workers: new Map(), roundsWithTwo: 0 }
  let versions = new Map<string, number>()
  for (let round = 1; round <= rounds; round++) {
    const count = RECORDS_MIN + Math.floor(random() * (RECORDS_MAX - RECORDS_MIN))
    const moment = chooseMoment(random)
    const killing = killAt(cloud, moment, kills, random)
    await putRecords(kinesis, connection.names.eventsStream, traffic.next(count, systemClock()))
    const draining = cloud.waitUntilDrained({ timeoutMs: DRAIN_TIMEOUT_MS })
    // One that nobody waits for may fail; the last one tells of everything that is left.
    draining.catch(() => undefined)
    await Promise.all(random() < BACKLOG_SHARE ? [killing] : [killing, draining])
    versions = await checkVersions(connection, versions)
    if (round % 10 === 0) say(`round ${round}, ${seconds()} s`)
  }
  await cloud.waitUntilDrained({ timeoutMs: DRAIN_TIMEOUT_MS })
  await checkVersions(connection, versions)
  report(cloud, kills)
  say(JSON.stringify(await checkFlights(connection, kinesis, traffic)))
  say(`all holds, ${seconds()} s`)
} catch (error) {
  say(`FAILED with --rounds ${rounds} --seed ${seed}; the last lines of the cloud:\n${lastLines.join('\n')}`)
  throw error
} finally {
  kinesis.destroy()
  connection.close()
  await cloud.stop()
  await packaged.remove()
}

async function killAt(target: LocalCloud, moment: Moment, kills: Kills, chance: Random): Promise<void> {
  if (!(await whenMoment(moment, MOMENT_TIMEOUT_MS))) return
  const key = moment.kind === 'archiving' ? 'archive' : 'recompute'
  const pids = target.status().functions.find(each => each.key === key)?.pids ?? []
  const one = pids[Math.floor(chance() * pids.length)]
  const victims = moment.isAll || one === undefined ? pids : [one]
  for (const pid of victims) process.kill(pid, 'SIGKILL')
  kills.workers.set(moment.kind, (kills.workers.get(moment.kind) ?? 0) + victims.length)
  if (victims.length > 1) kills.roundsWithTwo++
}

/** Versions of items never go back, and items never go away. */
async function checkVersions(from: Connection, before: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const now = new Map([...(await allItems(from))].map(([userId, { v }]) => [userId, v]))
  const wentBack = [...before].filter(([userId, version]) => (now.get(userId) ?? 0) < version)
  deepStrictEqual(wentBack, [], 'items whose version went back')
  return now
}

function report(target: LocalCloud, { workers, roundsWithTwo }: Kills): void {
  const killed = [...workers.values()].reduce((sum, count) => sum + count, 0)
  const shards = target.status().mappings.flatMap(mapping => mapping.shards)
  const hit = shards.reduce((sum, { functionErrors }) => sum + functionErrors, 0)
  const discarded = shards.reduce((sum, shard) => sum + shard.discarded, 0)
  say(
    `killed ${killed} workers, two at once in ${roundsWithTwo} rounds: ${JSON.stringify(Object.fromEntries(workers))}`,
  )
  say(`invocations in flight that died: ${hit}`)
  ok(hit >= killed * IN_FLIGHT_SHARE_MIN, 'too few kills hit an invocation in flight')
  deepStrictEqual(discarded, 0, 'records given up on')
}

function seconds(): string {
  return ((systemClock() - startedMs) / 1000).toFixed(1)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
