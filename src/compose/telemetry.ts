// Logs as JSON lines and metrics in CloudWatch's embedded format, both on standard output. User ids appear in neither.
import { Logger } from '@aws-lambda-powertools/logger'
import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics'
import { MillraceError } from '../platform/errors.ts'

export interface Telemetry {
  readonly info: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  readonly error: (error: unknown) => void
  readonly count: (name: string, value: number) => void
  /** A span of time, ms. */
  readonly span: (name: string, ms: number) => void
  /** Publishes what was counted; once an invocation. */
  readonly flush: () => void
}

export function createTelemetry(service: string, functionName: string): Telemetry {
  const logger = new Logger({ serviceName: service })
  const metrics = new Metrics({
    namespace: 'Millrace',
    serviceName: service,
    defaultDimensions: { function: functionName },
  })
  let isEmpty = true
  const add = (name: string, unit: 'Count' | 'Milliseconds', value: number): void => {
    isEmpty = false
    metrics.addMetric(name, unit, value)
  }
  return {
    info: (message, fields = {}) => logger.info(message, { ...fields }),
    error: error => logger.error('failed', { ...errorFields(error) }),
    count: (name, value) => {
      if (value !== 0) add(name, MetricUnit.Count, value)
    },
    span: (name, ms) => add(name, MetricUnit.Milliseconds, ms),
    flush: () => {
      if (isEmpty) return
      metrics.publishStoredMetrics()
      isEmpty = true
    },
  }
}

function errorFields(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof MillraceError) {
    const { code, message, next, retriable, cause } = error
    return {
      code,
      message,
      next,
      retriable,
      ...(cause instanceof Error ? { cause: `${cause.name}: ${cause.message}` } : {}),
    }
  }
  if (error instanceof Error) return { code: error.name, message: error.message, stack: error.stack }
  return { code: 'unknown', message: String(error) }
}
