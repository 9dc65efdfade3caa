// From the outside: a 90-day feature is added to a running pipeline. A GET says that it is being filled, and after the backfill what
// it is, while the stream goes on.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { predictOne } from '../../src/predictions/predictor.ts'
import { featuresAt } from '../../src/serve/evaluate-user.ts'
import { serveHttp } from '../../src/serve/serve-http.ts'
import { gatewayEvent } from '../fakes/http-gateway.ts'
import { START } from '../features/factories.ts'
import { countingPredictor, orderRecord } from '../recompute/harness.ts'
import { after, type BackfillWorld, backfillWorld, orders } from './backfill-world.ts'

const DAY_MS = 86_400_000

let world: BackfillWorld
beforeEach(() => {
  world = backfillWorld()
})
afterEach(() => world.remove())

interface Answer {
  readonly values: Readonly<Record<string, unknown>>
  readonly pending?: Readonly<Record<string, string>>
}

async function get(userId: string): Promise<Answer> {
  const predictor = countingPredictor([])
  const handle = serveHttp({
    load: id => world.users.load(id),
    featuresAt: (item, nowMs) => featuresAt(after, item, nowMs),
    predict: features => predictOne(predictor, features),
    productionBatches: () => predictor.production(),
    definitions: after.definitions,
    clock: () => world.nowMs,
    report: error => {
      throw error
    },
  })
  const event = gatewayEvent({ route: '/users/{userId}/features', pathParameters: { userId } })
  const { statusCode, body, isBase64Encoded } = await handle(event)
  expect(statusCode).toBe(200)
  return JSON.parse(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8').toString()) as Answer
}

it('is null and named while it is filled, never short, and then there', async () => {
  const records = orders(2, 90)
  await world.send(records)
  world.nowMs = START + 90 * DAY_MS
  const filling = { web90d: 'backfilling', points90d: 'backfilling', giftsEver: 'backfilling', lastWeb: 'backfilling' }
  expect(await get('user-0')).toMatchObject({ values: { web90d: null, orders30d: 30 }, pending: filling })

  // The stream goes on with the new definitions: still not short.
  world.live = after
  await world.send([orderRecord('next', 500, { user: 'user-0', ts: world.nowMs - 1000 })])
  expect(await get('user-0')).toMatchObject({
    values: { web90d: null, lastWeb: 10, orders30d: 31 },
    pending: { web90d: 'backfilling' },
  })

  expect(await world.backfill({ target: { kind: 'incomplete', feature: 'web90d' } })).toMatchObject({ written: 2 })
  const filled = await get('user-0')
  expect(filled).toMatchObject({ values: { web90d: 91, giftsEver: 0, orders30d: 31 } })
  expect(filled.pending).toBeUndefined()
  expect((await get('user-1')).pending).toBeUndefined()
})
