// What a handler's parts are given in tests: Lambda's event of stream records, and a telemetry that remembers.
import type { MetricName } from '../../src/compose/metric-definitions.ts'
import type { MetricDimensions, Telemetry } from '../../src/compose/telemetry.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'

export function lambdaEvent(records: readonly StreamRecord[]): unknown {
  return {
    Records: records.map(({ shard, sequence, arrivalMs, partitionKey, dataBase64 }) => ({
      eventID: `${shard}:${sequence}`,
      eventSourceARN: 'arn:aws:kinesis:eu-central-1:000000000000:stream/events',
      kinesis: {
        sequenceNumber: sequence,
        approximateArrivalTimestamp: arrivalMs / 1000,
        partitionKey,
        data: dataBase64,
      },
    })),
  }
}

export interface RecordingTelemetry extends Telemetry {
  /** By name, and by `name{owner}` or `name{model}`. */
  readonly counts: Map<string, number>
  readonly errors: unknown[]
}

export function recordingTelemetry(): RecordingTelemetry {
  const counts = new Map<string, number>()
  const errors: unknown[] = []
  const add = (name: MetricName, value: number, dimensions?: MetricDimensions): void => {
    const key = dimensions === undefined ? name : `${name}{${Object.values(dimensions).join()}}`
    counts.set(key, (counts.get(key) ?? 0) + value)
  }
  return {
    counts,
    errors,
    info: () => undefined,
    error: error => void errors.push(error),
    count: add,
    span: add,
    flush: () => undefined,
  }
}
