// Serving over a store that counts, with an evaluation that counts and a clock that the test sets.
import { encodeItem } from '../../src/store/item-codec.ts'
import type { ApiGatewayResult } from '../../src/serve/api-gateway.ts'
import { type ServeDeps, serveHttp } from '../../src/serve/serve-http.ts'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import type { StoredItem } from '../../src/store/user-item.ts'
import { gatewayEvent, type GatewayRequest } from '../fakes/http-gateway.ts'
import { type MemoryUserStore, memoryUserStore } from '../fakes/memory-user-store.ts'
import { typicalParts } from '../store/item-factory.ts'

export const USER = 'customer-000042'
export const BATCH = '20160130000000-abcdefgh'
export const parts = typicalParts()
export const FRESH_MS = parts.fresh ?? 0

export interface ServeWorld {
  readonly users: MemoryUserStore
  readonly reported: unknown[]
  readonly evaluations: number[]
  readonly handler: ReturnType<typeof serveHttp>
  nowMs: number
  production: Readonly<Record<string, string>>
  definitions: string
  evaluate: ServeDeps['evaluate']
  get(request?: Partial<GatewayRequest>): Promise<ApiGatewayResult>
}

export function serveWorld(item: StoredItem | undefined = encodeItem(parts)): ServeWorld {
  const users = memoryUserStore()
  if (item !== undefined) users.plant(toAttributes(item))
  const world: ServeWorld = {
    users,
    reported: [],
    evaluations: [],
    nowMs: FRESH_MS - 1,
    production: { churn: BATCH },
    definitions: parts.definitions,
    handler: event =>
      serveHttp({
        load: userId => users.load(userId),
        evaluate: (stored, nowMs) => world.evaluate(stored, nowMs),
        productionBatches: () => Promise.resolve(world.production),
        definitions: world.definitions,
        clock: () => world.nowMs,
        report: error => void world.reported.push(error),
      })(event),
    evaluate: (_item, nowMs) => {
      world.evaluations.push(nowMs)
      const asOf = Math.floor(nowMs / 60_000) * 60_000
      const freshUntil = asOf + 60_000
      const models = world.production
      return Promise.resolve({
        features: { asOf, freshUntil, values: { orders30d: 0 } },
        predictions: {
          asOf,
          freshUntil,
          models: { churn: { status: 'ok', batchId: BATCH, value: { probability: 0.5 } } },
        },
        models,
      })
    },
    get: request =>
      world.handler(gatewayEvent({ route: '/users/{userId}/features', pathParameters: { userId: USER }, ...request })),
  }
  return world
}

export function bodyBytes({ body, isBase64Encoded }: ApiGatewayResult): Buffer {
  return Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')
}
