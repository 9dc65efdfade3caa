// GETs of predictions that are not served as they are stored: values that lie elsewhere, and shadows.
import { gunzipSync } from 'node:zlib'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Prediction, PredictionsBody } from '../../src/predictions/evaluated-user.ts'
import { planSpills } from '../../src/predictions/spill.ts'
import { encodeItem } from '../../src/store/item-codec.ts'
import { spillStore } from '../../src/store/spill-store.ts'
import type { StoredItem } from '../../src/store/user-item.ts'
import { memoryObjectStore, type MemoryObjectStore } from '../fakes/memory-object-store.ts'
import { ANSWER_BYTES_MAX } from '../../src/serve/api-gateway.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { longValue, TEST_KEY } from '../recompute/spill-harness.ts'
import { BATCH, BOTH, bodyBytes, FEATURES, parts, serveWorld, type ServeWorld, USER } from './world.ts'

const PREDICTIONS = '/users/{userId}/predictions'
const asOf = parts.asOf
const churn: Prediction = { status: 'ok', batchId: BATCH, value: { probability: 0.5 } }
const next: Prediction = { status: 'ok', batchId: 'b2', inputs: '0123456789ab', value: longValue(1) }
const models = { churn: BATCH, next: 'b2' }
const whole: PredictionsBody = { asOf, models: { churn, next } }

let objects: MemoryObjectStore

beforeEach(() => {
  objects = memoryObjectStore()
})

function noise(bytes: number, seed: number): Uint8Array {
  const random = seededRandom(seed + 1)
  return Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256))
}

/** Of predictions as a writer leaves them. */
async function worldOf(body: PredictionsBody, batches: Readonly<Record<string, string>> = models): Promise<ServeWorld> {
  const spills = spillStore({ objects, newKey: () => TEST_KEY })
  const plan = planSpills(USER, { predictions: body, models: batches }, { key: TEST_KEY })
  for (const spill of plan.spills) await spills.write(spill)
  objects.calls.create = 0
  const world = serveWorld(itemOf(plan.predicted.predictions, batches, plan.spills.length))
  world.spills = spills
  world.production = batches
  return world
}

function itemOf(body: PredictionsBody, batches: Readonly<Record<string, string>>, spills: number): StoredItem {
  return encodeItem({ ...parts, models: batches, spills, predictions: JSON.stringify(body) })
}

describe('a value that lies elsewhere', () => {
  it('is where it belongs in every view and coding, for one read of it', async () => {
    const world = await worldOf(whole)
    const plain = await world.get({ route: PREDICTIONS })
    expect(JSON.parse(String(bodyBytes(plain)))).toEqual(whole)
    expect(plain.headers['millrace-source']).toBe('stored')
    expect(objects.calls).toEqual({ create: 0, stat: 0, get: 1, list: 0 })
    const zipped = await world.get({ route: BOTH, headers: { 'accept-encoding': 'gzip' } })
    const both = JSON.parse(String(gunzipSync(bodyBytes(zipped)))) as Record<string, unknown>
    expect(both['predictions']).toEqual(whole)
    expect(world.evaluations).toEqual([])
    expect(world.users.counters).toMatchObject({ loadCalls: 2, puts: 0 })
  })

  it('is read for nobody who has it, or asks for features alone', async () => {
    const world = await worldOf(whole)
    const { headers } = await world.get({ route: PREDICTIONS })
    objects.calls.get = 0
    const again = await world.get({ route: PREDICTIONS, headers: { 'if-none-match': String(headers['etag']) } })
    expect(again.statusCode).toBe(304)
    await world.get({ route: FEATURES })
    expect(objects.calls.get).toBe(0)
  })

  it.each([
    ['gone', () => objects.objects.clear()],
    ['damaged', () => [...objects.objects.keys()].forEach(key => objects.objects.set(key, Buffer.from('x')))],
  ])('that is %s is evaluated in the request, and told', async (_what, harm) => {
    const world = await worldOf(whole)
    world.predictions = whole.models
    harm()
    for (const query of [{}, { at: 'stored' }] as const) {
      const answer = await world.get({ route: PREDICTIONS, query })
      expect(answer.statusCode).toBe(200)
      expect(answer.headers['millrace-source']).toBe('evaluated')
      expect((JSON.parse(String(bodyBytes(answer))) as PredictionsBody).models).toEqual(whole.models)
    }
    expect(world.reported).toMatchObject([{ code: 'spill-missing' }, { code: 'spill-missing' }])
    expect(world.users.counters.puts).toBe(0)
  })

  it('that cannot be reached is evaluated, too', async () => {
    const world = await worldOf(whole)
    world.spills = {
      read: async () => {
        throw new Error('no bucket')
      },
    }
    expect((await world.get({ route: PREDICTIONS })).headers['millrace-source']).toBe('evaluated')
    expect(world.reported).toEqual([new Error('no bucket')])
  })

  it('is no reason to look into an item that has none: its bytes pass through', async () => {
    const world = await worldOf({ asOf, models: { churn } }, { churn: BATCH })
    const item = await world.users.load(USER)
    const answer = await world.get({ route: PREDICTIONS, headers: { 'accept-encoding': 'deflate' } })
    expect(bodyBytes(answer)).toEqual(Buffer.from((item as StoredItem).pr))
    expect(objects.calls.get).toBe(0)
  })
})

describe('an answer over the limit of a function', () => {
  /** Five values of a MiB each, of noise in hex, which shrinks to a half. */
  const many = Object.fromEntries(
    Array.from({ length: 5 }, (_, index) => {
      const value = { said: Buffer.from(noise(500_000, index)).toString('hex') }
      return [`m${index}`, { status: 'ok', batchId: 'b1', value } as const]
    }),
  )
  const manyBatches = Object.fromEntries(Object.keys(many).map(name => [name, 'b1']))

  it('is a problem that says what to do, in every view that has it, and is told to the log', async () => {
    const world = await worldOf({ asOf, models: many }, manyBatches)
    for (const route of [PREDICTIONS, BOTH]) {
      const answer = await world.get({ route })
      expect(answer.statusCode).toBe(507)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'answer-too-big', next: expect.stringContaining('gzip') })
    }
    expect(world.reported).toMatchObject([{ code: 'answer-too-big' }, { code: 'answer-too-big' }])
    expect(String(world.reported[0])).toMatch(/5000\d{3} bytes \(predictions, identity\)/)
    expect((await world.get({ route: FEATURES })).statusCode).toBe(200)
    const head = await world.get({ route: PREDICTIONS, method: 'HEAD' })
    expect([head.statusCode, head.body]).toEqual([507, ''])
  })

  it('is one where it is evaluated, too', async () => {
    const world = await worldOf({ asOf, models: many }, manyBatches)
    world.predictions = many
    world.definitions = 'other'
    expect((await world.get({ route: PREDICTIONS })).statusCode).toBe(507)
  })

  it('is none in a coding in which it is shorter', async () => {
    const world = await worldOf({ asOf, models: many }, manyBatches)
    const answer = await world.get({ route: PREDICTIONS, headers: { 'accept-encoding': 'gzip' } })
    expect(answer.statusCode).toBe(200)
    expect(JSON.parse(String(gunzipSync(bodyBytes(answer))))).toEqual({ asOf, models: many })
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(ANSWER_BYTES_MAX)
    expect(world.reported).toEqual([])
  })
})

describe('a shadow', () => {
  const shadowed = { churn: BATCH, 'churn-next': 'b2' }
  const both: PredictionsBody = { asOf, models: { churn, 'churn-next': next } }
  const served = { asOf, models: { churn } }

  it('is in no view, no header, and costs no read of its value', async () => {
    const world = await worldOf(both, shadowed)
    world.shadows = new Set(['churn-next'])
    const answer = await world.get({ route: PREDICTIONS })
    expect(JSON.parse(String(bodyBytes(answer)))).toEqual(served)
    expect(answer.headers['millrace-models']).toBe(`churn=${BATCH}`)
    expect(answer.headers['millrace-source']).toBe('stored')
    expect(String(bodyBytes(await world.get({ route: BOTH })))).not.toContain('churn-next')
    expect(objects.calls.get).toBe(0)
  })

  it('is not in what is evaluated', async () => {
    const world = await worldOf(both, shadowed)
    world.shadows = new Set(['churn-next'])
    world.predictions = both.models
    world.definitions = 'other'
    const answer = await world.get({ route: PREDICTIONS })
    expect(answer.headers['millrace-source']).toBe('evaluated')
    expect(String(bodyBytes(answer))).not.toContain('churn-next')
    expect(answer.headers['millrace-models']).toBe(`churn=${BATCH}`)
  })

  it('may get another version, or none, and what is stored of the other stays exact', async () => {
    const world = await worldOf(both, shadowed)
    world.shadows = new Set(['churn-next'])
    const tags: unknown[] = []
    for (const production of [shadowed, { churn: BATCH, 'churn-next': 'b3' }, { churn: BATCH }]) {
      world.production = production
      const { headers } = await world.get({ route: PREDICTIONS })
      expect(headers['millrace-source']).toBe('stored')
      tags.push(headers['etag'])
    }
    expect(new Set(tags).size).toBe(1)
    world.production = { churn: 'b9', 'churn-next': 'b2' }
    expect((await world.get({ route: PREDICTIONS })).headers['millrace-source']).toBe('evaluated')
  })

  it('that is served from now on makes another tag, also where it has no version', async () => {
    const without = { asOf, models: { churn, 'churn-next': { status: 'no-model' } as const } }
    const world = await worldOf(without, { churn: BATCH })
    const tagOf = async () => (await world.get({ route: PREDICTIONS })).headers['etag']
    world.shadows = new Set(['churn-next'])
    const before = await tagOf()
    world.shadows = new Set()
    expect(await tagOf()).not.toBe(before)
  })

  it('changes no tag of features', async () => {
    const world = await worldOf(both, shadowed)
    const before = (await world.get({ route: FEATURES })).headers['etag']
    world.shadows = new Set(['churn-next'])
    expect((await world.get({ route: FEATURES })).headers['etag']).toBe(before)
  })
})
