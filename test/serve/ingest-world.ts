// POST /events over a stream that records and fails as told.
import { compileContracts } from '../../src/event/compile-contracts.ts'
import { seededRandom } from '../../src/platform/random.ts'
import type { ApiGatewayResult } from '../../src/serve/api-gateway.ts'
import { type IngestDeps, ingestHttp } from '../../src/serve/ingest-http.ts'
import { order, START, visit } from '../features/factories.ts'
import { gatewayEvent, type GatewayRequest } from '../fakes/http-gateway.ts'
import {
  type MemoryEventStream,
  memoryEventStream,
  type MemoryEventStreamOptions,
} from '../fakes/memory-event-stream.ts'

export interface IngestWorld {
  readonly stream: MemoryEventStream
  readonly reported: unknown[]
  readonly handler: ReturnType<typeof ingestHttp>
  post(body: string | Uint8Array, request?: Partial<GatewayRequest>): Promise<ApiGatewayResult>
}

export function ingestWorld(faults: MemoryEventStreamOptions = {}, overrides: Partial<IngestDeps> = {}): IngestWorld {
  const stream = memoryEventStream({ shards: 2, ...faults })
  const reported: unknown[] = []
  let nowMs = START
  const handler = ingestHttp({
    writer: stream,
    contracts: compileContracts([order, visit]),
    random: seededRandom(5),
    clock: () => nowMs,
    sleep: ms => {
      nowMs += ms
      return Promise.resolve()
    },
    report: error => void reported.push(error),
    ...overrides,
  })
  return {
    stream,
    reported,
    handler,
    post: (body, request) => handler(gatewayEvent({ method: 'POST', route: '/events', body, ...request })),
  }
}

export interface OrderChanges {
  readonly orderId?: string
  readonly user?: string
  readonly placedAt?: string
  readonly note?: string
}

export function orderJson({ user = 'ana', ...changes }: OrderChanges = {}): string {
  return JSON.stringify({
    type: 'order.placed',
    orderId: 'o-1',
    customer: { id: user },
    placedAt: new Date(START).toISOString(),
    amount: 19.99,
    channel: 'web',
    gift: false,
    ...changes,
  })
}
