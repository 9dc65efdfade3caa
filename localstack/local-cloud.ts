// The cloud on a laptop: reads a packaged template, creates what it names, wires it, and serves all of it at one endpoint.
// Whatever the template does not say is not there, so what works here is what the template deploys.
import type { S3Client } from '@aws-sdk/client-s3'
import { systemClock, systemSleep } from '../src/platform/clock.ts'
import { systemRandom } from '../src/platform/random.ts'
import { fileCheckpoints, noCheckpoints } from './checkpoints.ts'
import { readTemplate } from './cloudformation-template.ts'
import { cloudwatchApi } from './cloudwatch-api.ts'
import { createFunctions } from './create-functions.ts'
import { createResources } from './create-resources.ts'
import type { DeploymentPlan, FunctionPlan, MappingPlan } from './deployment-plan.ts'
import { waitUntilDrained } from './drain.ts'
import { startEmulators } from './emulators.ts'
import { type Endpoint, type EndpointHandlers, openEndpoint } from './endpoint.ts'
import { LocalCloudError } from './errors.ts'
import { type EventSourceMapping, startEventSourceMapping } from './event-source-mapping.ts'
import { measuredBatches } from './function-metrics.ts'
import { httpApi } from './http-api.ts'
import { resultOf } from './invoke-outcome.ts'
import { kinesisStream, localKinesisClient } from './kinesis-streams.ts'
import { lambdaApi } from './lambda-api.ts'
import type { LambdaFunction } from './lambda-function.ts'
import { localApi, type LocalStatus } from './local-api.ts'
import { mappingControl, type MappingControl } from './mapping-control.ts'
import { localMetrics, type Metrics } from './metrics.ts'
import type { GivenUpObject } from './mapped-stream.ts'
import { planDeployment } from './plan-deployment.ts'
import type { Refuse } from './refusal.ts'
import { REGION } from './resource-identity.ts'
import { localS3Client, putObject } from './s3-buckets.ts'
import { startScheduler } from './scheduler.ts'
import { streamMetrics } from './stream-metrics.ts'

/** LocalStack's port, which tools look for. */
const PORT_DEFAULT = 4566
/** Lambda polls a shard about once a second; a person who waits at a laptop should not. */
const POLL_MS_DEFAULT = 100
/** Processes of one function: as many as the two cores that a laptop surely has. */
const ENVIRONMENTS_MAX_DEFAULT = 2
const DRAIN_TIMEOUT_MS_DEFAULT = 60_000

export interface LocalCloudOptions {
  readonly build: {
    /** The packaged CloudFormation template, a JSON file. */
    readonly template: string
    /** Where `<name>.zip` of each function's `Code.S3Key` is. */
    readonly zipFolder: string
  }
  /** What happens, line by line: `source` is a function's short name, a mapping's logical id or `cloud`. */
  readonly log: (source: string, line: string) => void
  /** This one or none; without it 4566, or a free one if that is taken. */
  readonly port?: number
  /** Keeps streams, tables, objects and checkpoints in this folder; in memory without it. */
  readonly path?: string
  /** Overrides of the template's parameters. */
  readonly parameters?: Readonly<Record<string, string>>
  /** What `AWS::StackName` is; names of unnamed resources begin with it. */
  readonly stackName?: string
  readonly pollMs?: number
  readonly environmentsMax?: number
  readonly refuse?: Refuse
}

export interface LocalCloud {
  /** `http://127.0.0.1:4566`, for `AWS_ENDPOINT_URL` and for the routes of the HTTP API. */
  readonly endpoint: string
  readonly port: number
  /** Of the template; an API's address is the endpoint. */
  readonly outputs: Readonly<Record<string, string>>
  readonly plan: DeploymentPlan
  /** What is different here from AWS, to be shown at start. */
  readonly notes: readonly string[]
  /** Environment variables of a function, by its short name, name or logical id. */
  environmentOf(functionName: string): Readonly<Record<string, string>>
  /** Loads every function, so that the first events do not wait for it. */
  startAll(): Promise<void>
  /** Resolves with the result; throws FunctionError. */
  invoke(functionName: string, event: unknown): Promise<unknown>
  /** By the schedule's logical id or the function's name; resolves with the function's result. */
  fireSchedule(name: string): Promise<unknown>
  /** Until everything that was put so far is delivered. Batching windows end at once meanwhile. */
  waitUntilDrained(options?: { readonly timeoutMs?: number }): Promise<void>
  status(): LocalStatus
  /** Ends every process, timer and connection that this cloud began. */
  stop(): Promise<void>
}

type Closer = () => Promise<void> | void

export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const closers: Closer[] = []
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close()
  }
  try {
    return await build(options, closers, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

/** In the order in which things need each other; closers run in the reverse order. */
async function build(options: LocalCloudOptions, closers: Closer[], stop: () => Promise<void>): Promise<LocalCloud> {
  const log = (source: string) => (line: string) => options.log(source, line)
  const template = await readTemplate(options.build.template)
  const emulators = await startEmulators(options.path)
  closers.push(() => emulators.stop())
  const { port = PORT_DEFAULT } = options
  const endpoint = await openEndpoint({ port, isFallbackAllowed: options.port === undefined })
  closers.push(() => endpoint.stop())
  const plan = planDeployment(template, {
    parameters: options.parameters ?? {},
    stackName: options.stackName ?? 'millrace-local',
    endpoint: endpoint.url,
  })
  const metrics = localMetrics()
  const created = await createFunctions(plan, {
    endpoint: endpoint.url,
    zipFolder: options.build.zipFolder,
    environmentsMax: options.environmentsMax ?? ENVIRONMENTS_MAX_DEFAULT,
    metrics,
    clock: systemClock,
    log: options.log,
  })
  closers.push(() => created.remove())
  const { functions } = created
  const find = (name: string): LambdaFunction => findFunction(functions, name)
  const invoke = (name: string, event: string) => find(name).invoke(event)
  const scheduler = startScheduler({ schedules: plan.schedules, invoke, clock: systemClock, log: log('schedule') })
  closers.push(() => scheduler.stop())
  const mappings: EventSourceMapping[] = []
  const controls: MappingControl[] = []
  const notes = [...portNotes(endpoint), ...plan.notes, ...architectureNotes(plan.functions)]
  const status = (): LocalStatus => ({
    endpoint: endpoint.url,
    outputs: plan.outputs,
    notes,
    ...runningParts(functions, mappings),
  })
  const { fire: fireSchedule } = scheduler
  const { refuse } = options
  endpoint.serve(endpointHandlers({ emulators, plan, functions, metrics, controls, log, status, fireSchedule, refuse }))
  await createResources(plan, endpoint.url)
  closers.push(() => stopAll(mappings, functions))
  await startMappings(plan, { options, endpoint: endpoint.url, find, metrics, mappings, closers })
  controls.push(...mappings.map(each => mappingControl(each, { clock: systemClock, log: log('cloud') })))
  return {
    endpoint: endpoint.url,
    port: endpoint.port,
    outputs: plan.outputs,
    plan,
    notes,
    environmentOf: name => find(name).environment,
    startAll: () => warmAll(functions),
    invoke: async (name, event) => resultOf(name, await find(name).invoke(JSON.stringify(event ?? null))),
    fireSchedule,
    waitUntilDrained: ({ timeoutMs = DRAIN_TIMEOUT_MS_DEFAULT } = {}) =>
      waitUntilDrained(mappings, { timeoutMs, clock: systemClock, sleep: systemSleep }),
    status,
    stop,
  }
}

interface Served {
  readonly emulators: EndpointHandlers['emulators']
  readonly plan: DeploymentPlan
  readonly functions: readonly LambdaFunction[]
  readonly metrics: Metrics
  readonly controls: readonly MappingControl[]
  readonly log: (source: string) => (line: string) => void
  readonly status: () => LocalStatus
  readonly fireSchedule: (name: string) => Promise<unknown>
  readonly refuse: Refuse | undefined
}

function endpointHandlers(served: Served): EndpointHandlers {
  const { emulators, plan, functions, metrics, controls, log, status, fireSchedule } = served
  return {
    emulators,
    lambda: lambdaApi({
      invoke: (name, event) => matching(functions, name)?.invoke(event),
      functionPlan: name => matching(functions, name)?.plan,
      mappings: () => controls,
      log: log('cloud'),
    }),
    cloudwatch: cloudwatchApi(metrics),
    onKinesis: streamMetrics(metrics, systemClock),
    refuse: served.refuse,
    httpApi: httpApi({
      routes: plan.routes,
      invoke: (name, event) => findFunction(functions, name).invoke(event),
      clock: systemClock,
      log: log('http'),
    }),
    local: localApi({ status, fireSchedule }),
    log: log('cloud'),
  }
}

interface MappingStart {
  readonly options: LocalCloudOptions
  readonly endpoint: string
  readonly find: (name: string) => LambdaFunction
  readonly metrics: Metrics
  readonly mappings: EventSourceMapping[]
  readonly closers: Closer[]
}

async function startMappings(
  plan: DeploymentPlan,
  { options, endpoint, find, metrics, mappings, closers }: MappingStart,
): Promise<void> {
  const client = localKinesisClient(endpoint)
  const objects = localS3Client(endpoint)
  // First of all that is closed comes what reads; its clients go after it.
  closers.splice(closers.length - 1, 0, () => {
    client.destroy()
    objects.destroy()
  })
  for (const mapping of plan.mappings) {
    const target = find(mapping.functionName)
    mappings.push(
      await startEventSourceMapping(
        { mapping, roleArn: target.plan.roleArn, region: REGION, pollMs: options.pollMs ?? POLL_MS_DEFAULT },
        {
          stream: kinesisStream(client, mapping.streamName),
          invoke: measuredBatches(mapping.functionName, target.invoke, { metrics, clock: systemClock }),
          checkpoints: options.path === undefined ? noCheckpoints : fileCheckpoints(options.path, mapping.logicalId),
          onFailure: onFailureOf(mapping, objects),
          clock: systemClock,
          sleep: systemSleep,
          random: systemRandom,
          log: line => options.log(mapping.logicalId, line),
        },
      ),
    )
  }
}

function onFailureOf({ onFailureBucket }: MappingPlan, objects: S3Client) {
  if (onFailureBucket === undefined) return undefined
  return ({ key, body }: GivenUpObject) => putObject(objects, { bucketName: onFailureBucket, key, body })
}

/** Mappings first hear of it, then functions are ended, which ends the invocations that mappings wait for. */
async function stopAll(mappings: readonly EventSourceMapping[], functions: readonly LambdaFunction[]): Promise<void> {
  const stopped = mappings.map(mapping => mapping.stop())
  await Promise.all([...stopped, ...functions.map(each => each.stop())])
}

async function warmAll(functions: readonly LambdaFunction[]): Promise<void> {
  await Promise.all(functions.map(each => each.warm()))
}

function matching(functions: readonly LambdaFunction[], name: string): LambdaFunction | undefined {
  return functions.find(({ plan }) => [plan.functionName, plan.logicalId, plan.key].includes(name))
}

function findFunction(functions: readonly LambdaFunction[], name: string): LambdaFunction {
  const found = matching(functions, name)
  if (found !== undefined) return found
  const known = functions.map(({ plan }) => plan.key).join(', ') || 'none'
  throw new LocalCloudError(`There is no function ${name}; there are: ${known}`, { code: 'function-not-found' })
}

function runningParts(functions: readonly LambdaFunction[], mappings: readonly EventSourceMapping[]) {
  return {
    functions: functions.map(({ plan, environment, pids }) => ({
      key: plan.key,
      functionName: plan.functionName,
      environment,
      pids: pids(),
    })),
    mappings: mappings.map(({ mapping, counters }) => ({
      logicalId: mapping.logicalId,
      streamName: mapping.streamName,
      functionName: mapping.functionName,
      shards: counters().map(shard => ({ ...shard })),
    })),
  }
}

function portNotes({ port, takenPort }: Endpoint): string[] {
  return takenPort === undefined ? [] : [`Port ${takenPort} is taken: this cloud is at port ${port}.`]
}

/** Node's names of architectures for those of a template. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'x64', arm64: 'arm64' }

function architectureNotes(functions: readonly FunctionPlan[]): string[] {
  const others = functions
    .filter(({ architecture }) => ARCHITECTURES[architecture] !== process.arch)
    .map(({ key }) => key)
  if (others.length === 0) return []
  return [`${others.join(', ')}: packaged for another architecture than ${process.arch}; native modules will not load.`]
}
