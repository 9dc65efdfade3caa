// Everything of one seed: the stream, its two mappings, the functions behind them, the table and the buckets, upstream and operators,
// all on one simulated clock. What is real is what is deployed: handlers, adapters, codec, fold, archive, mapping and catalogue.
import { archiveEvents } from '../../src/compose/archive-events.ts'
import { recomputeEvents } from '../../src/compose/recompute-events.ts'
import type { Telemetry } from '../../src/compose/telemetry.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { writeDoubt } from '../../src/archive/doubt.ts'
import { catalog, type Catalog } from '../../src/catalog/catalog.ts'
import type { StreamTip } from '../../src/event/stream-tip.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import type { ObjectStore } from '../../src/platform/object-store.ts'
import { type Random, seededRandom } from '../../src/platform/random.ts'
import { s3ObjectStore } from '../../src/platform/s3-object-store.ts'
import type { CompiledPipeline } from '../../src/predictions/compile-pipeline.ts'
import { modelPredictor } from '../../src/predictions/model-predictor.ts'
import type { Predictor } from '../../src/predictions/predictor.ts'
import { dynamodbUserStore } from '../../src/store/dynamodb-user-store.ts'
import type { UserStore } from '../../src/store/user-item.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { deployedWith, type Deployed } from './definitions.ts'
import { Faults, type Fault } from './faults.ts'
import { type Container, type Handle, simulatedFunction, type SimulatedFunction } from './function-runtime.ts'
import { type ModelVersions, modelVersions } from './model-versions.ts'
import { SimulatedProcess } from './process.ts'
import { newScheduler, type Scheduler } from './scheduler.ts'
import { drawSettings, type Settings } from './settings.ts'
import { type Caller, type Commit, simulatedUsersTable, type SimulatedUsersTable } from './simulated-dynamodb.ts'
import { S3_ERRORS, type SimulatedBucket, simulatedBucket } from './simulated-s3.ts'
import { type SimulatedStream, shardsOf, simulatedStream, tipOf } from './simulated-stream.ts'
import { Broken, checkCommit, CommittedItems } from './watch.ts'
import type { Sent } from './workload.ts'

export const STREAM = 'events'
const START_MS = Date.UTC(2024, 1, 25)
const TRACE_LINES_MAX = 5_000
const SKEW_MAX_MS = 86_400_000

export interface LoggedRecord extends Sent {
  readonly record: StreamRecord
}

export interface SimulationRequest {
  readonly seed: number
  /** Fewer than the seed would have. */
  readonly eventsMax?: number
  readonly without?: ReadonlySet<Fault>
}

export interface Simulation {
  readonly settings: Settings
  readonly scheduler: Scheduler
  readonly random: Random
  readonly faults: Faults
  readonly deployed: Deployed
  readonly models: ModelVersions
  readonly table: SimulatedUsersTable
  readonly archiveBucket: SimulatedBucket
  /** The one that there is now. */
  readonly stream: () => SimulatedStream
  readonly epoch: () => number
  readonly committed: CommittedItems
  readonly functions: { readonly recompute: SimulatedFunction; readonly archive: SimulatedFunction }
  /** Everything that upstream has put, in order. */
  readonly log: LoggedRecord[]
  readonly lines: readonly string[]
  /** What an oracle found at a commit or a read: it is thrown where the run is looked at. */
  readonly broken: Broken[]
  /** Users whose item was damaged, and so rebuilt. */
  readonly damaged: Set<string>
  /** What runs now; cold starts take it. */
  live: CompiledPipeline
  readonly trace: (line: string) => void
  /** Deletes the stream, creates one of the same name, and deploys the functions with the next epoch. */
  recreateStream(): Promise<void>
  newProcess(name: string): SimulatedProcess
  ports(process: SimulatedProcess): ProcessPorts
}

export interface ProcessPorts {
  readonly users: UserStore
  readonly archive: ObjectStore
  readonly catalog: Catalog
  readonly tip: StreamTip
  readonly predictor: (compiled: CompiledPipeline) => Predictor
  readonly clock: () => number
}

const SILENT: Telemetry = {
  info: () => undefined,
  error: () => undefined,
  count: () => undefined,
  span: () => undefined,
  flush: () => undefined,
}

export function newSimulation({ seed, eventsMax, without = new Set() }: SimulationRequest): Simulation {
  const random = seededRandom(seed)
  const drawn = drawSettings(random)
  const settings = { ...drawn, events: Math.min(drawn.events, eventsMax ?? drawn.events) }
  const faults = new Faults({ random: seededRandom(seed ^ 0x5eed), without })
  const scheduler = newScheduler(START_MS)
  const deployed = deployedWith(settings.lateness)
  const committed = new CommittedItems()
  const lines: string[] = []
  let epoch = 1
  let stream = simulatedStream(settings.shards, epoch)
  const catalogItems = memoryCatalogStore()
  const table = simulatedUsersTable({ faults, random, onCommit, onRead })
  const archiveBucket = simulatedBucket({ faults, clock: scheduler.clock })
  const catalogBucket = simulatedBucket({ faults, clock: scheduler.clock })
  const functions = {
    recompute: newFunction('recompute', buildRecompute),
    archive: newFunction('archive', buildArchive),
  }
  const simulation: Simulation = {
    settings,
    scheduler,
    random,
    faults,
    deployed,
    models: modelVersions(deployed.after, faults),
    table,
    archiveBucket,
    stream: () => stream,
    epoch: () => epoch,
    committed,
    functions,
    log: [],
    lines,
    broken: [],
    damaged: new Set(),
    live: deployed.before,
    trace,
    recreateStream,
    newProcess,
    ports,
  }
  return simulation

  function trace(line: string): void {
    if (lines.length < TRACE_LINES_MAX) lines.push(`${((scheduler.clock() - START_MS) / 1000).toFixed(3)} ${line}`)
  }

  async function recreateStream(): Promise<void> {
    await Promise.all([functions.recompute.settled(), functions.archive.settled()])
    functions.recompute.forget()
    functions.archive.forget()
    stream = simulatedStream(settings.shards, ++epoch)
    trace(`the stream is created anew, epoch ${epoch}`)
  }

  function newProcess(name: string): SimulatedProcess {
    return new SimulatedProcess({ name, scheduler, random, faults, trace })
  }

  function newFunction(name: string, build: (container: Container) => Handle): SimulatedFunction {
    return simulatedFunction({ name, scheduler, random, faults, trace, timeoutMs: () => settings.timeoutMs, build })
  }

  function ports(process: SimulatedProcess): ProcessPorts {
    const skewMs = faults.fires('clock skew', 4) ? Math.round((random() - 0.5) * 2 * SKEW_MAX_MS) : 0
    const clock = (): number => scheduler.clock() + skewMs
    const world = { random, sleep: process.sleep }
    const objects = (bucket: SimulatedBucket, name: string) =>
      s3ObjectStore({ client: bucket.client(process), bucket: name, ...world })
    return {
      users: dynamodbUserStore({ client: table.client(process), table: 'users', ...world }),
      archive: objects(archiveBucket, 'archive'),
      catalog: catalog({ store: catalogItems, objects: objects(catalogBucket, 'catalog'), clock, ...world }),
      tip: {
        streamName: STREAM,
        shards: () => process.call('Kinesis', S3_ERRORS, () => shardsOf(stream)),
        read: after => process.call('Kinesis', S3_ERRORS, () => tipOf(stream, after)),
      },
      predictor: compiled => modelPredictor(compiled, simulation.models.sourceFor(clock)),
      clock,
    }
  }

  function buildRecompute(container: Container): Handle {
    const { users, archive, predictor } = ports(container.process)
    const compiled = simulation.live
    const environment = { streamEpoch: epoch }
    const dependencies = {
      compiled,
      users,
      predictor: predictor(compiled),
      aside: {
        writeDeadLetters: (letters: Parameters<typeof writeDeadLetters>[1]) => writeDeadLetters(archive, letters),
        writeDoubt: (records: Parameters<typeof writeDoubt>[1]) => writeDoubt(archive, records),
      },
      random,
      sleep: container.process.sleep,
      remainingMs: () => container.remainingMs(),
    }
    return event => recomputeEvents(event, { dependencies, environment, telemetry: SILENT })
  }

  function buildArchive(container: Container): Handle {
    const { archive } = ports(container.process)
    const environment = { streamEpoch: epoch }
    return event => archiveEvents(event, { archive, environment, telemetry: SILENT })
  }

  function onRead(userIds: readonly string[], by: Caller): void {
    for (const userId of userIds) checkAllowed(userId, by, 'reads')
  }

  function onCommit(commit: Commit): void {
    const { userId, after, by } = commit
    trace(`${by.name} puts version ${after['v']?.N} of ${userId}`)
    checkAllowed(userId, by, 'writes')
    try {
      checkCommit(commit, simulation.damaged.has(userId))
    } catch (error) {
      if (error instanceof Broken) simulation.broken.push(error)
      else throw error
    }
    committed.add(userId, after, scheduler.clock())
  }

  function checkAllowed(userId: string, by: Caller, verb: string): void {
    if (by.scope === undefined || by.scope.has(userId)) return
    simulation.broken.push(new Broken(`${by.name} ${verb} ${userId}, whom its batch does not affect`))
  }
}
