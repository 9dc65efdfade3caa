// Pausing and resuming a function that reads the stream: its event source mappings are switched by Lambda's own API, and it is done when
// Lambda says that the state is reached, not when it has taken the order.
import type { Clock, Sleep } from '../platform/clock.ts'
import { OperationError } from './errors.ts'
import type { DeployedFunctions, DeployedMapping } from './ports.ts'

/** Lambda takes some seconds, and up to a minute where a batch is in hand. */
const POLL_MS = 1000

export interface SwitchPorts {
  readonly functions: DeployedFunctions
  readonly clock: Clock
  readonly sleep: Sleep
  /** Called once before anything is switched, and not where nothing is to be. */
  readonly onSwitch: (mappings: readonly DeployedMapping[]) => Promise<void>
}

export interface SwitchRequest {
  readonly functionName: string
  readonly streamName: string
  readonly isEnabled: boolean
  readonly waitMs: number
  readonly isDryRun: boolean
}

export interface SwitchOutcome {
  /** `already`: it was so before. `planned`: a dry run would switch. */
  readonly outcome: 'switched' | 'already' | 'planned'
  /** As they are now. */
  readonly mappings: readonly DeployedMapping[]
}

/** Throws OperationError, and whatever `onSwitch` throws. */
export async function switchMappings(ports: SwitchPorts, request: SwitchRequest): Promise<SwitchOutcome> {
  const mappings = await mappingsOfStream(ports.functions, request)
  const wanted = request.isEnabled ? 'Enabled' : 'Disabled'
  const others = mappings.filter(({ state }) => state !== wanted)
  if (others.length === 0) return { outcome: 'already', mappings }
  if (request.isDryRun) return { outcome: 'planned', mappings }
  await ports.onSwitch(others)
  const deadlineMs = ports.clock() + request.waitMs
  const switched = new Map<string, DeployedMapping>()
  for (const { id } of others) switched.set(id, await switchOne(ports, { ...request, id, wanted, deadlineMs }))
  return { outcome: 'switched', mappings: mappings.map(mapping => switched.get(mapping.id) ?? mapping) }
}

async function mappingsOfStream(
  functions: DeployedFunctions,
  { functionName, streamName }: SwitchRequest,
): Promise<readonly DeployedMapping[]> {
  const mappings = (await functions.mappings(functionName)).filter(({ streamArn }) =>
    streamArn.endsWith(`:stream/${streamName}`),
  )
  if (mappings.length > 0) return mappings
  throw new OperationError(`${functionName} does not read the stream ${streamName}`, {
    code: 'mapping-missing',
    next: 'Check --stage, --function and the region; deploy first.',
  })
}

interface SwitchOne extends SwitchRequest {
  readonly id: string
  readonly wanted: string
  readonly deadlineMs: number
}

async function switchOne(
  { functions, clock, sleep }: SwitchPorts,
  { id, isEnabled, wanted, deadlineMs, waitMs }: SwitchOne,
): Promise<DeployedMapping> {
  let isAsked = false
  for (;;) {
    const mapping = await functions.mapping(id)
    if (mapping.state === wanted) return mapping
    // A change that somebody else began is waited for first: Lambda refuses another until it is done.
    if (!isAsked || isSettled(mapping)) isAsked = (await functions.setEnabled(id, isEnabled)) === 'accepted'
    if (clock() >= deadlineMs) throw notReached(mapping, wanted, waitMs)
    await sleep(Math.min(POLL_MS, Math.max(1, deadlineMs - clock())))
  }
}

function isSettled({ state }: DeployedMapping): boolean {
  return state === 'Enabled' || state === 'Disabled'
}

function notReached({ id, state }: DeployedMapping, wanted: string, waitMs: number): OperationError {
  return new OperationError(`The mapping ${id} is ${state} and not ${wanted} after ${waitMs / 1000} s`, {
    code: 'mapping-not-switched',
    retriable: true,
    next: 'Run it again to go on waiting, with a longer --wait; millrace status shows the state.',
  })
}
