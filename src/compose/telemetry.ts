// Logs as JSON lines and metrics in CloudWatch's embedded format, both on standard output. User ids appear in neither.
import { Logger } from '@aws-lambda-powertools/logger'
import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics'
import { errorFields } from './middleware.ts'

export interface Telemetry {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(error: unknown): void
  count(name: string, value: number): void
  flush(): void
}

export function createTelemetry(service: string, functionName: string): Telemetry {
  const logger = new Logger({ serviceName: service })
  const metrics = new Metrics({
    namespace: 'Millrace',
    serviceName: service,
    defaultDimensions: { function: functionName },
  })
  let isEmpty = true
  return {
    info: (message, fields = {}) => logger.info(message, { ...fields }),
    error: error => logger.error('failed', { ...errorFields(error) }),
    count: (name, value) => {
      if (value === 0) return
      isEmpty = false
      metrics.addMetric(name, MetricUnit.Count, value)
    },
    flush: () => {
      if (isEmpty) return
      metrics.publishStoredMetrics()
      isEmpty = true
    },
  }
}
