// Everything that the status is made of, read at once from its sources, each by itself: a source that is down costs its own lines.
import type { Catalog } from '../catalog/catalog.ts'
import { snapshotReading } from './snapshot-reading.ts'
import { modelRegistry } from '../model/registry.ts'
import { MINUTE_MS } from '../platform/duration.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { describePipeline } from '../predictions/definitions.ts'
import { currentDefinitions } from '../predictions/definitions-table.ts'
import { canonicalJson, type Json } from '../platform/canonical-json.ts'
import { functionName } from './function-name.ts'
import { readMeasures } from './measures.ts'
import { newestArrivalMs } from './newest-arrival.ts'
import { operationsRef } from './operations-log.ts'
import type { DeployedFunctions, DeployedMapping, MetricReader } from './ports.ts'
import { type FunctionReading, isRead, type Reading, reading, type Readings } from './readings.ts'
import { type Look, openDeadLetters, openDoubt, openGivenUp } from './set-aside.ts'

/** Every function of Millrace; true: it reads the stream. */
export const FUNCTIONS: ReadonlyMap<string, boolean> = new Map([
  ['recompute', true],
  ['archive', true],
  ['serve', false],
  ['ingest', false],
  ['snapshot', false],
  ['compact', false],
  ['catalog', false],
])

export interface StatusPorts {
  readonly functions: DeployedFunctions
  readonly metrics: MetricReader
  readonly catalog: Catalog
  readonly archive: ObjectStore
}

export interface StatusRequest {
  readonly compiled: CompiledPipeline
  readonly stage: string
  readonly streamName: string
  readonly nowMs: number
  /** How far back invocations are counted. */
  readonly spanMs: number
  /** Ends the looks at what is set aside. */
  readonly look: Look
}

export async function readStatus(ports: StatusPorts, request: StatusRequest): Promise<Readings> {
  const { catalog, archive } = ports
  const { compiled, nowMs, look } = request
  const { pipeline } = compiled
  const sinceMs = nowMs - Math.max(request.spanMs, MINUTE_MS)
  const registry = modelRegistry(catalog)
  const [measures, functions, newestArchivedMs, deadLetters, givenUp, doubt, models, snapshot, definitions] =
    await Promise.all([
      readMeasures(ports.metrics, {
        ...request,
        pipeline: pipeline.name,
        keys: [...FUNCTIONS.keys()],
        models: pipeline.models.map(({ name }) => name),
        sinceMs,
      }),
      Promise.all([...FUNCTIONS].map(([key, isConsumer]) => readFunction(ports, request, { key, isConsumer }))),
      reading(() => newestArrivalMs(archive, nowMs)),
      reading(() => openDeadLetters(archive, pipeline, look)),
      reading(() => openGivenUp(archive, look)),
      reading(() => openDoubt(archive, look)),
      Promise.all(
        pipeline.models.map(async ({ name, owner }) => ({
          name,
          owner,
          production: await reading(() => registry.current(name)),
        })),
      ),
      reading(() => snapshotReading(catalog, pipeline.name, nowMs)),
      reading(() => definitionsReading(catalog, request)),
    ])
  return {
    nowMs,
    sinceMs,
    functions: functions.map(each => ({ ...each, measured: measures.functions(each.key) })),
    incoming: measures.incoming,
    newestArchivedMs,
    deadLetters,
    givenUp,
    doubt,
    compaction: measures.compaction,
    models: models.map(each => ({ ...each, batches: measures.batches(each.name) })),
    predictions: measures.predictions,
    snapshot,
    definitions,
  }
}

async function readFunction(
  { functions, catalog }: StatusPorts,
  { compiled, stage, streamName }: StatusRequest,
  { key, isConsumer }: { readonly key: string; readonly isConsumer: boolean },
): Promise<Omit<FunctionReading, 'measured'>> {
  const pipeline = compiled.pipeline.name
  const name = functionName(pipeline, stage, key)
  const deployed = await reading(() => functions.find(name))
  if (!isConsumer) return { key, deployed, mappings: undefined, switched: undefined }
  const isDeployed = isRead(deployed) && deployed.value !== undefined
  const mappings: Reading<readonly DeployedMapping[]> = isDeployed
    ? await reading(async () =>
        (await functions.mappings(name)).filter(({ streamArn }) => streamArn.endsWith(`:stream/${streamName}`)),
      )
    : { value: [] }
  const switched = await reading(() => catalog.current(operationsRef({ pipeline, stage, key })))
  return { key, deployed, mappings, switched }
}

async function definitionsReading(catalog: Catalog, { compiled, stage }: StatusRequest) {
  const current = await currentDefinitions(catalog, compiled.pipeline.name, stage)
  const own = canonicalJson(describePipeline(compiled) as unknown as Json)
  return {
    recordedAt: current?.entry.at,
    isSame: current !== undefined && canonicalJson(current.definitions as unknown as Json) === own,
  }
}
