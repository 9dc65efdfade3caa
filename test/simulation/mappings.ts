// The two event source mappings of the simulated deployment: the local cloud's own, on simulated time.
import type { MappingPlan } from '../../localstack/deployment-plan.ts'
import { type EventSourceMapping, startEventSourceMapping } from '../../localstack/event-source-mapping.ts'
import type { Checkpoint, Checkpoints } from '../../localstack/mapped-stream.ts'
import { STREAM, type Simulation } from './world.ts'

const POLL_MS = 1_000
const STREAM_ARN = `arn:aws:kinesis:us-east-1:000000000000:stream/${STREAM}`

export type MappedName = 'recompute' | 'archive'

export function memoryCheckpoints(): Checkpoints {
  const saved = new Map<string, Checkpoint>()
  return {
    load: async shard => saved.get(shard),
    save: async (shard, checkpoint) => void saved.set(shard, checkpoint),
  }
}

export async function startMapping(
  simulation: Simulation,
  name: MappedName,
  checkpoints: Checkpoints,
): Promise<EventSourceMapping> {
  const { scheduler, stream, functions, random, archiveBucket, faults, trace } = simulation
  let mapping: EventSourceMapping | undefined
  mapping = await startEventSourceMapping(
    {
      mapping: planOf(simulation, name),
      roleArn: `arn:aws:iam::000000000000:role/${name}`,
      region: 'us-east-1',
      pollMs: POLL_MS,
    },
    {
      stream,
      invoke: functions[name].invoke,
      checkpoints,
      clock: scheduler.clock,
      // Who polls an empty stream waits for news instead: hours of silence cost nothing.
      sleep: ms => (ms === POLL_MS && isIdle(mapping) ? pause(simulation) : scheduler.sleep(ms)),
      random,
      log: line => trace(`${name} mapping: ${line}`),
      onFailure: async ({ key, body }) => {
        faults.count('given up')
        archiveBucket.put(key, Buffer.from(body))
      },
    },
  )
  return mapping
}

async function pause({ stream, scheduler }: Simulation): Promise<void> {
  await stream.activity()
  await scheduler.sleep(1)
}

function isIdle(mapping: EventSourceMapping | undefined): boolean {
  return mapping?.counters().every(({ pending }) => pending === 0) ?? false
}

function planOf({ settings }: Simulation, name: MappedName): MappingPlan {
  const common = {
    logicalId: `${name}Mapping`,
    uuid: `00000000-0000-0000-0000-00000000000${name === 'recompute' ? 1 : 2}`,
    streamName: STREAM,
    streamArn: STREAM_ARN,
    functionName: name,
    functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    isEnabled: true,
    startingPosition: { type: 'TRIM_HORIZON' },
    maximumRecordAgeMs: -1,
    reportsBatchItemFailures: true,
  } as const
  if (name === 'archive') {
    return {
      ...common,
      batchSize: 1_000,
      batchingWindowMs: 60_000,
      parallelizationFactor: 1,
      bisectsBatchOnFunctionError: false,
      maximumRetryAttempts: -1,
      onFailureBucket: undefined,
    }
  }
  const { batchSize, batchingWindowMs, parallelizationFactor, bisects, maximumRetryAttempts } = settings
  return {
    ...common,
    batchSize,
    batchingWindowMs,
    parallelizationFactor,
    bisectsBatchOnFunctionError: bisects,
    maximumRetryAttempts,
    onFailureBucket: 'archive',
  }
}
