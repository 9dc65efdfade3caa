// The whole local cloud killed with SIGKILL and started again on the same folder while events stream in, and DynamoDB out of reach for
// a while; then every record and every user is compared with what must be there. `--restarts N`, `--seed N`; exits 0 when all holds.
import { ok, strictEqual } from 'node:assert'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { localKinesisClient } from '../../localstack/kinesis-streams.ts'
import { STAGE_DEFAULT } from '../../src/cli/stage.ts'
import { connect } from '../../src/compose/connect.ts'
import { systemClock, systemSleep } from '../../src/platform/clock.ts'
import { seededRandom } from '../../src/platform/random.ts'
import flights from '../../src/pipeline/index.ts'
import { checkFlights, readStream } from './flight-oracle.ts'
import { flightTraffic } from './flight-traffic.ts'
import { type ForkedCloud, forkCloud } from './forked-cloud.ts'
import { packagedCloud } from './packaged-cloud.ts'
import { putRecords } from './put-records.ts'

const RESTARTS_DEFAULT = 3
const PUTS_PER_RESTART = 4
const RECORDS_PER_PUT = 150
/** From the first put to the kill. */
const KILL_MS_MAX = 1500
/** Longer than the SDK retries by itself. */
const UNREACHABLE_MS = 4000
const DRAIN_TIMEOUT_MS = 180_000

const { values } = parseArgs({ options: { restarts: { type: 'string' }, seed: { type: 'string' } } })
const restarts = Number(values.restarts ?? RESTARTS_DEFAULT)
const seed = Number(values.seed ?? 1)
const startedMs = systemClock()
const random = seededRandom(seed)
const packaged = await packagedCloud({ shards: 2, archiveWindowSeconds: 1, recomputeWindowSeconds: 0 })
const folder = await mkdtemp(join(tmpdir(), 'millrace-restart-'))
const port = await freePort()
const start = (): Promise<ForkedCloud> => forkCloud({ build: packaged.build, port, path: folder, pollMs: 20 })
let cloud = await start()
const connection = connect({ pipeline: flights.name, stage: STAGE_DEFAULT, env: { AWS_ENDPOINT_URL: cloud.endpoint } })
const kinesis = localKinesisClient(cloud.endpoint)
const stream = connection.names.eventsStream
const traffic = flightTraffic(seed)
const acknowledged = new Set<string>()
let unknownOutcomes = 0
try {
  say(`the cloud is up after ${seconds()} s; ${restarts} restarts, seed ${seed}`)
  for (let restart = 1; restart <= restarts; restart++) {
    const putting = putSome()
    await systemSleep(random() * KILL_MS_MAX)
    const pendingBefore = await pending(cloud)
    await cloud.kill()
    cloud = await start()
    await putting
    say(`restart ${restart}: killed with ${pendingBefore} records in hand; up again, ${seconds()} s`)
  }
  await outOfReach()
  await cloud.drain(DRAIN_TIMEOUT_MS)
  const inStream = new Set((await readStream(kinesis, stream)).map(({ key }) => key))
  strictEqual([...acknowledged].filter(key => !inStream.has(key)).length, 0, 'acknowledged records that are gone')
  say(`${acknowledged.size} records acknowledged, ${unknownOutcomes} puts without an answer`)
  say(JSON.stringify(await checkFlights(connection, kinesis, traffic)))
  say(`all holds, ${seconds()} s`)
} catch (error) {
  say(`FAILED with --restarts ${restarts} --seed ${seed}; the last lines of the cloud:\n${cloud.lastLines.join('\n')}`)
  throw error
} finally {
  kinesis.destroy()
  connection.close()
  await cloud.stop()
  await packaged.remove()
  await rm(folder, { recursive: true, force: true })
}

async function putSome(): Promise<void> {
  for (let put = 0; put < PUTS_PER_RESTART; put++) {
    const done = await putRecords(kinesis, stream, traffic.next(RECORDS_PER_PUT, systemClock()))
    for (const key of done.keys) acknowledged.add(key)
    unknownOutcomes += done.unknownOutcomes
  }
}

/** Functions fail, the mapping delivers again, and when DynamoDB is back nothing is missing. */
async function outOfReach(): Promise<void> {
  await cloud.reachDynamodb(false)
  await putSome()
  await systemSleep(UNREACHABLE_MS)
  await cloud.reachDynamodb(true)
  const shards = (await cloud.status()).mappings.flatMap(mapping => mapping.shards)
  const failures = shards.reduce((sum, each) => sum + each.functionErrors + each.partialFailures, 0)
  ok(failures > 0, 'no invocation failed although DynamoDB was out of reach')
  say(`DynamoDB out of reach for ${UNREACHABLE_MS} ms: ${failures} invocations failed so far, ${seconds()} s`)
}

async function pending(of: ForkedCloud): Promise<number> {
  const shards = (await of.status()).mappings.flatMap(mapping => mapping.shards)
  return shards.reduce((sum, shard) => sum + shard.pending, 0)
}

/** The same for every start, so that clients find the cloud again. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function seconds(): string {
  return ((systemClock() - startedMs) / 1000).toFixed(1)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
