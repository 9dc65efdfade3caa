// Logs as JSON lines and metrics in CloudWatch's embedded format, both on standard output. User ids appear in neither, and every
// error that is written down is counted as well.
import { Logger } from '@aws-lambda-powertools/logger'
import { Metrics } from '@aws-lambda-powertools/metrics'
import { MillraceError } from '../platform/errors.ts'
import { metricDefinition, type MetricName } from './metric-definitions.ts'

export interface Telemetry {
  readonly info: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  readonly error: (error: unknown) => void
  readonly count: (name: MetricName, value: number, dimensions?: MetricDimensions) => void
  /** A span of time, ms. */
  readonly span: (name: MetricName, ms: number) => void
  /** Publishes what was counted; once an invocation. */
  readonly flush: () => void
}

export type MetricDimensions =
  /** Who owns the contract, as the definition says. */
  | { readonly owner: string }
  /** A model of the pipeline. */
  | { readonly model: string }
  /** Of a model, for who owns it: an alarm of a team is on its own models. */
  | { readonly model: string; readonly owner: string }

export function createTelemetry(service: string, functionName: string): Telemetry {
  const logger = new Logger({ serviceName: service })
  const metrics = new Metrics({
    namespace: 'Millrace',
    serviceName: service,
    defaultDimensions: { function: functionName },
  })
  let isEmpty = true
  const add = (name: MetricName, value: number): void => {
    const { unit, isGauge } = metricDefinition(name)
    if (value === 0 && unit === 'Count' && isGauge !== true) return
    isEmpty = false
    metrics.addMetric(name, unit, value)
  }
  return {
    info: (message, fields = {}) => logger.info(message, { ...fields }),
    error: error => {
      // Not among the fields: the logger keeps the name `message` to itself, and drops what comes under it.
      logger.error(error instanceof Error ? error.message : String(error), errorFields(error))
      add('errors', 1)
    },
    count: (name, value, dimensions) => {
      if (dimensions === undefined) add(name, value)
      // No movement is a reading too.
      else if (value !== 0 || metricDefinition(name).unit === 'None')
        addWithDimensions(metrics, { name, value, dimensions })
    },
    span: add,
    flush: () => {
      if (isEmpty) return
      metrics.publishStoredMetrics()
      isEmpty = true
    },
  }
}

/** A metric of another set of dimensions is a line of its own, printed at once. */
function addWithDimensions(
  metrics: Metrics,
  {
    name,
    value,
    dimensions,
  }: { readonly name: MetricName; readonly value: number; readonly dimensions: MetricDimensions },
): void {
  const single = metrics.singleMetric()
  for (const [dimension, text] of Object.entries(dimensions)) single.addDimension(dimension, String(text))
  single.addMetric(name, metricDefinition(name).unit, value)
}

function errorFields(error: unknown): Record<string, unknown> {
  if (error instanceof MillraceError) {
    const { code, next, retriable, cause } = error
    return {
      code,
      next,
      retriable,
      ...(cause instanceof Error ? { cause: `${cause.name}: ${cause.message}` } : {}),
    }
  }
  if (error instanceof Error) return { code: error.name, stack: error.stack }
  return { code: 'unknown' }
}
