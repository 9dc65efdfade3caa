// Event source mappings as Lambda's API sees them: each with an id, a state and the time since when it has it, switched on and off in
// the background as on AWS, where a batch in hand is finished first.
import type { Clock } from '../src/platform/clock.ts'
import type { MappingPlan } from './deployment-plan.ts'
import { ACCOUNT_ID, REGION } from './resource-identity.ts'

const SECOND_MS = 1000

/** Of an event source mapping that runs. */
export interface RunningMapping {
  readonly mapping: MappingPlan
  /** Resolves when it is so: no batch is in hand any more, or reading has begun again. */
  readonly setEnabled: (isEnabled: boolean) => Promise<void> | void
}

export interface MappingControl {
  readonly id: string
  readonly functionName: string
  readonly streamArn: string
  /** As GetEventSourceMapping answers. */
  describe(): object
  /** False where an earlier change is not done yet, which Lambda refuses. */
  enable(isEnabled: boolean): boolean
}

type MappingState = 'Enabled' | 'Disabled' | 'Enabling' | 'Disabling'

export interface MappingControlOptions {
  readonly clock: Clock
  readonly log: (line: string) => void
}

export function mappingControl(running: RunningMapping, { clock, log }: MappingControlOptions): MappingControl {
  const { mapping } = running
  let state: MappingState = mapping.isEnabled ? 'Enabled' : 'Disabled'
  let sinceMs = clock()
  const enter = (next: MappingState): void => {
    state = next
    sinceMs = clock()
  }
  return {
    id: mapping.uuid,
    functionName: mapping.functionName,
    streamArn: mapping.streamArn,
    describe: () => ({ ...described(mapping), State: state, LastModified: sinceMs / SECOND_MS }),
    enable: isEnabled => {
      if (state === 'Enabling' || state === 'Disabling') return false
      if ((state === 'Enabled') === isEnabled) return true
      enter(isEnabled ? 'Enabling' : 'Disabling')
      const switching = async (): Promise<void> => running.setEnabled(isEnabled)
      switching().then(
        () => enter(isEnabled ? 'Enabled' : 'Disabled'),
        (error: unknown) => {
          log(`${mapping.logicalId}: ${String(error)}`)
          enter(isEnabled ? 'Disabled' : 'Enabled')
        },
      )
      return true
    },
  }
}

function described(mapping: MappingPlan): object {
  const arn = (resource: string): string => `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:${resource}`
  return {
    UUID: mapping.uuid,
    EventSourceMappingArn: arn(`event-source-mapping:${mapping.uuid}`),
    EventSourceArn: mapping.streamArn,
    FunctionArn: mapping.functionArn,
    StartingPosition: mapping.startingPosition.type,
    BatchSize: mapping.batchSize,
    MaximumBatchingWindowInSeconds: mapping.batchingWindowMs / SECOND_MS,
    MaximumRetryAttempts: mapping.maximumRetryAttempts,
    FunctionResponseTypes: mapping.reportsBatchItemFailures ? ['ReportBatchItemFailures'] : [],
    StateTransitionReason: 'USER_INITIATED',
  }
}
