// What Kinesis itself measures of a stream: how many records come in. Told from the requests as they pass, by looking for their members
// and without parsing megabytes of data: a quote inside of a text is escaped, so none of them can be part of one.
import type { Clock } from '../src/platform/clock.ts'
import type { Metrics } from './metrics.ts'

const PUTS = /^Kinesis_\d+\.PutRecords?$/
const RECORD_MEMBER = Buffer.from('"PartitionKey":')
const STREAM_MEMBER = /"Stream(?:Name":"|ARN":"[^"]*:stream\/)([A-Za-z0-9_.-]{1,128})"/

export function streamMetrics(metrics: Metrics, clock: Clock) {
  return (target: unknown, body: Buffer): void => {
    if (typeof target !== 'string' || !PUTS.test(target)) return
    const streamName = streamNameOf(body)
    if (streamName === undefined) return
    const metric = { namespace: 'AWS/Kinesis', name: 'IncomingRecords', dimensions: { StreamName: streamName } }
    metrics.record(metric, recordsIn(body), clock())
  }
}

/** Before the records or after them, as the client writes it. */
function streamNameOf(body: Buffer): string | undefined {
  const edgeBytes = 1024
  const edges = [body.subarray(0, edgeBytes), body.subarray(-edgeBytes)]
  for (const edge of edges) {
    const found = STREAM_MEMBER.exec(edge.toString('latin1'))?.[1]
    if (found !== undefined) return found
  }
  return undefined
}

function recordsIn(body: Buffer): number {
  let records = 0
  for (let at = body.indexOf(RECORD_MEMBER); at !== -1; at = body.indexOf(RECORD_MEMBER, at + 1)) records++
  return records
}
