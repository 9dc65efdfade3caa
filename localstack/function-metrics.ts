// What Lambda itself measures of a function, made here by whoever invokes it.
import type { Clock } from '../src/platform/clock.ts'
import type { InvokeOutcome } from './invoke-outcome.ts'
import type { Metrics } from './metrics.ts'

const NAMESPACE = 'AWS/Lambda'
/** Of the last record of an event, as mapped-record.ts writes it; inside of a text its quotes would be escaped. */
const ARRIVAL_MEMBER = '"approximateArrivalTimestamp":'
/** What Lambda answers where no more of a function may run. */
const THROTTLED = 'TooManyRequestsException'
const MS_PER_SECOND = 1000

export type Invoke = (event: string) => Promise<InvokeOutcome>

export interface FunctionMetricsPorts {
  readonly metrics: Metrics
  readonly clock: Clock
}

/** The same invocation, with Invocations, Errors, Throttles and Duration. */
export function measured(functionName: string, invoke: Invoke, { metrics, clock }: FunctionMetricsPorts): Invoke {
  const metric = (name: string) => ({ namespace: NAMESPACE, name, dimensions: { FunctionName: functionName } })
  return async event => {
    const startMs = clock()
    const outcome = await invoke(event)
    if (outcome.kind === 'not-invoked') {
      metrics.record(metric('Throttles'), outcome.errorType === THROTTLED ? 1 : 0, startMs)
      return outcome
    }
    metrics.record(metric('Invocations'), 1, startMs)
    metrics.record(metric('Errors'), outcome.kind === 'failed' ? 1 : 0, startMs)
    metrics.record(metric('Duration'), clock() - startMs, startMs)
    return outcome
  }
}

/** The same for batches of a stream, with IteratorAge: how old a batch's last record is when the function gets it. */
export function measuredBatches(
  functionName: string,
  invoke: Invoke,
  { metrics, clock }: FunctionMetricsPorts,
): Invoke {
  const metric = { namespace: NAMESPACE, name: 'IteratorAge', dimensions: { FunctionName: functionName } }
  return event => {
    const arrivalMs = lastArrivalMs(event)
    if (arrivalMs !== undefined) metrics.record(metric, Math.max(0, clock() - arrivalMs), clock())
    return invoke(event)
  }
}

function lastArrivalMs(event: string): number | undefined {
  const at = event.lastIndexOf(ARRIVAL_MEMBER)
  const seconds = at === -1 ? Number.NaN : Number.parseFloat(event.slice(at + ARRIVAL_MEMBER.length, at + 60))
  return Number.isFinite(seconds) ? Math.round(seconds * MS_PER_SECOND) : undefined
}
