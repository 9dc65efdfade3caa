// POST /events, from API Gateway's event to its answer. 202 says what became of each event; only a call of which nothing could
// be delivered, or in which no event can be found, is an error as a whole.
import type { Contracts } from '../event/compile-contracts.ts'
import { EventStreamError } from '../event/errors.ts'
import { ingest, type IngestResult } from '../event/ingest.ts'
import { deliver, type ProducerOptions } from '../event/producer.ts'
import { SECOND_MS } from '../platform/duration.ts'
import { type ApiGatewayEvent, type ApiGatewayResult, fromApiGateway, toApiGateway } from './api-gateway.ts'
import { type HttpRequest, type HttpResponse, isOfAuthorizer } from './http.ts'
import { problem } from './problem.ts'
import { splitEvents } from './split-events.ts'

export interface IngestDeps extends Pick<ProducerOptions, 'writer' | 'random' | 'sleep' | 'clock'> {
  readonly contracts: Contracts
  /** The instant until which this invocation may work. */
  readonly deadlineMs?: () => number
  /** Gets what is behind a 5xx answer or an undelivered event, for the log. */
  readonly report: (error: unknown) => void
}

/** Lambda takes 6 MB an invocation, and a body that is not text grows by a third as base64; API Gateway's own limit is 10 MB. */
export const INGEST_BODY_BYTES_MAX = 4 * 1024 * 1024
/** What one shard takes in one second. A caller with more has more calls, and learns of throttling between them. */
export const INGEST_EVENTS_MAX = 1000
/** A caller waits for the answer; what is not delivered by then is reported and sent again by whoever has the queue. */
export const INGEST_DELIVERY_MS_MAX = 10 * SECOND_MS

export const INGEST_ROUTE = '/events'

/** Never rejects: what goes wrong is a problem in the answer. */
export function ingestHttp(deps: IngestDeps): (event: ApiGatewayEvent) => Promise<ApiGatewayResult> {
  return async event => {
    const request = fromApiGateway(event)
    try {
      return toApiGateway(await answer(request, deps))
    } catch (error) {
      deps.report(error)
      return toApiGateway(problem('internal'))
    }
  }
}

async function answer(request: HttpRequest, deps: IngestDeps): Promise<HttpResponse> {
  if (request.route !== INGEST_ROUTE) return problem('route-unknown')
  if (request.method !== 'POST') return problem('method-not-allowed', { headers: { allow: 'POST' } })
  if (![...request.query.keys()].every(isOfAuthorizer)) return problem('query-invalid')
  const { headers, body } = request
  if ((headers.get('content-encoding') ?? 'identity').trim().toLowerCase() !== 'identity') {
    return problem('content-coding-unsupported')
  }
  if (body.length > INGEST_BODY_BYTES_MAX) return problem('body-too-big')
  const events = splitEvents(body, { contentType: headers.get('content-type'), eventsMax: INGEST_EVENTS_MAX })
  if (events === undefined) return problem('body-unreadable')
  if (events.length > INGEST_EVENTS_MAX) return problem('too-many-events')
  return toResponse(await ingestEvents(events, deps), deps)
}

function ingestEvents(events: readonly Uint8Array[], deps: IngestDeps): Promise<readonly IngestResult[]> {
  const { contracts, writer, random, sleep, clock } = deps
  const nowMs = clock()
  const deadlineMs = Math.min(nowMs + INGEST_DELIVERY_MS_MAX, deps.deadlineMs?.() ?? Number.POSITIVE_INFINITY)
  return ingest(events, {
    contracts,
    nowMs,
    deliver: entries => deliver(entries, { writer, random, sleep, clock, deadlineMs }),
  })
}

function toResponse(results: readonly IngestResult[], { report }: IngestDeps): HttpResponse {
  const count = (status: IngestResult['status']): number => results.filter(result => result.status === status).length
  const counts = { accepted: count('accepted'), refused: count('refused'), undelivered: count('undelivered') }
  const members = { ...counts, results }
  if (counts.undelivered > 0) {
    report(
      new EventStreamError(`${counts.undelivered} of ${results.length} events were not delivered`, {
        code: 'events-undelivered',
        retriable: true,
        next: 'The callers were told; look at the throttles of the stream, and give it more shards where they last.',
      }),
    )
    if (counts.accepted === 0) return problem('stream-unavailable', { members })
  }
  return {
    status: 202,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(members),
  }
}
