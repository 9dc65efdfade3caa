// The recompute and archive functions of a pipeline on ports in memory, as an event source mapping invokes them: the deployed code but
// for its adapters, in this process.
import type { MappingPlan } from '../../localstack/deployment-plan.ts'
import type { InvokeFunction } from '../../localstack/mapped-stream.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { archiveEvents } from '../../src/compose/archive-events.ts'
import { recomputeEvents } from '../../src/compose/recompute-events.ts'
import type { Telemetry } from '../../src/compose/telemetry.ts'
import type { ObjectStore } from '../../src/platform/object-store.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { modelPredictor } from '../../src/predictions/model-predictor.ts'
import type { Pipeline } from '../../src/predictions/pipeline.ts'
import type { UserStore } from '../../src/store/user-item.ts'

export interface MemoryFunctions {
  readonly recompute: InvokeFunction
  readonly archive: InvokeFunction
  /** What the functions wrote down as failed. */
  readonly errors: readonly unknown[]
}

export interface MemoryPorts {
  readonly users: UserStore
  readonly archive: ObjectStore
}

const ENVIRONMENT = { streamEpoch: 1 }
/** As in cloud/functions.yml; nothing here takes as long. */
const TIMEOUT_MS = 60_000
/** More would only be more of the same. */
const ERRORS_KEPT = 20

/** Models of the pipeline are left out. Doubt is an error: nothing here is delivered twice. */
export function memoryFunctions(team: Pipeline, { users, archive }: MemoryPorts): MemoryFunctions {
  const compiled = compilePipeline({ ...team, models: [] })
  const errors: unknown[] = []
  const telemetry = quietTelemetry(error => void (errors.length < ERRORS_KEPT && errors.push(error)))
  const dependencies = {
    compiled,
    users,
    predictor: modelPredictor(compiled, () => {
      throw new Error('There are no models here')
    }),
    aside: {
      writeDeadLetters: (letters: Parameters<typeof writeDeadLetters>[1]) => writeDeadLetters(archive, letters),
      writeDoubt: () => Promise.reject(new Error('Nothing was delivered twice, and yet there is doubt')),
    },
    random: seededRandom(1),
    sleep: async () => undefined,
    remainingMs: () => TIMEOUT_MS,
  }
  return {
    errors,
    recompute: invoking(event => recomputeEvents(event, { dependencies, environment: ENVIRONMENT, telemetry })),
    archive: invoking(event => archiveEvents(event, { archive, environment: ENVIRONMENT, telemetry })),
  }
}

function invoking(handle: (event: unknown) => Promise<unknown>): InvokeFunction {
  return async event => {
    try {
      return { kind: 'returned', payload: JSON.stringify(await handle(JSON.parse(event))) }
    } catch (error) {
      return { kind: 'failed', errorType: 'Error', errorMessage: String(error) }
    }
  }
}

function quietTelemetry(onError: (error: unknown) => void): Telemetry {
  const nothing = (): void => undefined
  return { info: nothing, error: onError, count: nothing, span: nothing, flush: nothing }
}

/** As in cloud/mappings.yml, but for windows, for which nobody waits here. */
export function mappingOf(functionName: 'recompute' | 'archive', batchSize: number): MappingPlan {
  return {
    logicalId: `${functionName}Mapping`,
    uuid: `00000000-0000-0000-0000-${functionName.padEnd(12, '0').slice(0, 12)}`,
    streamName: 'events',
    streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/events',
    functionName,
    functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    isEnabled: true,
    batchSize,
    batchingWindowMs: 0,
    startingPosition: { type: 'TRIM_HORIZON' },
    maximumRetryAttempts: -1,
    maximumRecordAgeMs: -1,
    parallelizationFactor: 1,
    bisectsBatchOnFunctionError: true,
    reportsBatchItemFailures: true,
    onFailureBucket: undefined,
  }
}
