// Serving over a store that counts, with an evaluation that counts and a clock that the test sets.
import type { Prediction, PredictionStatus } from '../../src/predictions/evaluated-user.ts'
import { encodeItem } from '../../src/store/item-codec.ts'
import type { ApiGatewayResult } from '../../src/serve/api-gateway.ts'
import { serveHttp, type ServeDeps } from '../../src/serve/serve-http.ts'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import type { StoredItem } from '../../src/store/user-item.ts'
import { gatewayEvent, type GatewayRequest } from '../fakes/http-gateway.ts'
import { type MemoryUserStore, memoryUserStore } from '../fakes/memory-user-store.ts'
import { typicalParts } from '../store/item-factory.ts'

export const FEATURES = '/users/{userId}/features'
export const BOTH = '/users/{userId}'
export const USER = 'customer-000042'
export const BATCH = '20160130000000-abcdefgh'
export const parts = typicalParts()
export const FRESH_MS = parts.fresh ?? 0

export interface ServeWorld {
  readonly users: MemoryUserStore
  readonly reported: unknown[]
  /** Instants at which features were evaluated. */
  readonly evaluations: number[]
  readonly calls: { productionBatches: number; predict: number }
  readonly handler: ReturnType<typeof serveHttp>
  nowMs: number
  production: Readonly<Record<string, string>>
  definitions: string
  /** Of what is predicted. */
  status: PredictionStatus
  shadows: ReadonlySet<string>
  spills: ServeDeps['spills']
  /** What is predicted, where it is not the one number. */
  predictions: Readonly<Record<string, Prediction>> | undefined
  /** Set to have the catalogue and the models fail. */
  fault: (() => never) | undefined
  get(request?: Partial<GatewayRequest>): Promise<ApiGatewayResult>
}

export function serveWorld(item: StoredItem | undefined = encodeItem(parts)): ServeWorld {
  const users = memoryUserStore()
  if (item !== undefined) users.plant(toAttributes(item))
  const world: ServeWorld = {
    users,
    reported: [],
    evaluations: [],
    calls: { productionBatches: 0, predict: 0 },
    status: 'ok',
    shadows: new Set(),
    spills: undefined,
    predictions: undefined,
    fault: undefined,
    nowMs: FRESH_MS - 1,
    production: { churn: BATCH },
    definitions: parts.definitions,
    handler: event =>
      serveHttp({
        load: userId => users.load(userId),
        featuresAt: (_item, nowMs) => {
          world.evaluations.push(nowMs)
          const asOf = Math.floor(nowMs / 60_000) * 60_000
          return { asOf, freshUntil: asOf + 60_000, values: { orders30d: 0 } }
        },
        predict: async ({ asOf, freshUntil }) => {
          world.calls.predict++
          world.fault?.()
          const value = world.status === 'ok' ? { value: { probability: 0.5 } } : {}
          const models = world.predictions ?? { churn: { status: world.status, batchId: BATCH, ...value } }
          return {
            predictions: { asOf, ...(freshUntil === undefined ? {} : { freshUntil }), models },
            models: world.production,
          }
        },
        productionBatches: async () => {
          world.calls.productionBatches++
          world.fault?.()
          return world.production
        },
        definitions: world.definitions,
        shadows: world.shadows,
        spills: world.spills,
        clock: () => world.nowMs,
        report: error => void world.reported.push(error),
      })(event),
    get: request => world.handler(gatewayEvent({ route: FEATURES, pathParameters: { userId: USER }, ...request })),
  }
  return world
}

export function bodyBytes({ body, isBase64Encoded }: ApiGatewayResult): Buffer {
  return Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')
}
