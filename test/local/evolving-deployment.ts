// A deployment on the emulators with real flights, in this process, in simulated time: a record arrives a minute after its flight
// has landed. The code that folds can be replaced while events stream in, as a deploy does.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { flightArrived } from '../../demo/flights.ts'
import type { DemoPlan } from '../../demo/plan.ts'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { writeDoubt } from '../../src/archive/doubt.ts'
import { openHistory } from '../../src/archive/open-history.ts'
import { type Connection, connect } from '../../src/compose/connect.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import { MINUTE_MS } from '../../src/platform/duration.ts'
import type { Pipeline } from '../../src/predictions/pipeline.ts'
import { type CompiledPipeline, compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { modelPredictor } from '../../src/predictions/model-predictor.ts'
import type { Predictor } from '../../src/predictions/predictor.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { featuresAt } from '../../src/serve/evaluate-user.ts'
import { serveHttp } from '../../src/serve/serve-http.ts'
import { gatewayEvent } from '../fakes/http-gateway.ts'
import { startLocalAws } from '../fakes/local-aws.ts'

/** From landing to the stream. */
const DELAY_MS = MINUTE_MS

export interface EvolvingDeployment extends Connection {
  /** The code that runs now. */
  compiled: CompiledPipeline
  predictor: Predictor
  /** Simulated. */
  nowMs: number
  deploy(pipeline: Pipeline): void
  /** Archived, then folded. */
  deliver(records: readonly StreamRecord[]): Promise<void>
  get(userId: string): Promise<FeaturesBody>
  openHistory(): ReturnType<typeof openHistory>
  spoolDir(): Promise<string>
  stop(): Promise<void>
}

export async function startDeployment(pipeline: Pipeline): Promise<EvolvingDeployment> {
  const aws = await startLocalAws()
  const connection = connect({ pipeline: pipeline.name, stage: 'test', env: aws.env })
  const { names } = connection
  await aws.createUsersTable(names.usersTable)
  await aws.createCatalogTable(names.catalogTable)
  await aws.createBucket(names.archiveBucket)
  await aws.createBucket(names.catalogBucket)
  const folder = await mkdtemp(join(tmpdir(), 'millrace-evolving-'))
  const spoolDir = () => mkdtemp(join(folder, 'spool-'))
  const { users, catalog, archive } = connection
  const compiled = compilePipeline(pipeline)
  const deployment: EvolvingDeployment = {
    ...connection,
    compiled,
    predictor: noModels(compiled),
    nowMs: 0,
    clock: () => deployment.nowMs,
    deploy(next) {
      deployment.compiled = compilePipeline(next)
      deployment.predictor = noModels(deployment.compiled)
    },
    deliver: records => deliver(records, deployment),
    get: userId => get(userId, deployment),
    openHistory: async () => openHistory({ catalog, archive, db: pipeline.name, spoolDir: await spoolDir() }),
    spoolDir,
    users,
    async stop() {
      connection.close()
      await aws.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return deployment
}

function noModels(compiled: CompiledPipeline): Predictor {
  return modelPredictor({ ...compiled, pipeline: { ...compiled.pipeline, models: [] } }, () => {
    throw new Error('There are no models here')
  })
}

async function deliver(records: readonly StreamRecord[], deployment: EvolvingDeployment): Promise<void> {
  const { archive, compiled, users, predictor, random, sleep } = deployment
  const archived = await archiveBatch(records, archive)
  const folded = await recomputeBatch(records, {
    compiled,
    users,
    predictor,
    random,
    sleep,
    aside: {
      writeDeadLetters: letters => writeDeadLetters(archive, letters),
      writeDoubt: doubtful => writeDoubt(archive, doubtful),
    },
    remainingMs: () => MINUTE_MS,
  })
  for (const error of [...archived.errors, ...folded.errors]) throw error
  deployment.nowMs = Math.max(deployment.nowMs, ...records.map(({ arrivalMs }) => arrivalMs))
}

async function get(userId: string, { compiled, users, nowMs }: EvolvingDeployment): Promise<FeaturesBody> {
  const handle = serveHttp({
    load: id => users.load(id),
    featuresAt: (item, instantMs) => featuresAt(compiled, item, instantMs),
    predict: () => Promise.reject(new Error('Only features are asked for')),
    productionBatches: async () => ({}),
    definitions: compiled.definitions,
    clock: () => nowMs,
    report: error => console.error(error),
  })
  const answer = await handle(gatewayEvent({ route: '/users/{userId}/features', pathParameters: { userId } }))
  if (answer.statusCode !== 200) throw new Error(`GET answers ${answer.statusCode}: ${answer.body}`)
  return JSON.parse(
    answer.isBase64Encoded ? Buffer.from(answer.body, 'base64').toString() : answer.body,
  ) as FeaturesBody
}

/** Live flights as records of one shard, in order of arrival, no two at one instant: what had arrived by then is then certain. */
export function flightRecords({ flights, live, shiftMs }: DemoPlan): StreamRecord[] {
  let arrivalMs = 0
  return [...live].map((flight, index) => {
    const event = flightArrived(flights, flight, shiftMs)
    arrivalMs = Math.max(arrivalMs + 1, Date.parse(event.arrivedAt) + DELAY_MS)
    return {
      stream: 'events@1',
      shard: 'shardId-000000000000',
      sequence: String(1_000_000 + index),
      arrivalMs,
      partitionKey: event.route,
      dataBase64: Buffer.from(JSON.stringify(event)).toString('base64'),
    }
  })
}
