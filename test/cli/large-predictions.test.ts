// `users sweep-spills` and `model shadow` as a person calls them, on the local cloud's DynamoDB and S3.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { type CompiledPipeline, compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import type { Predictor } from '../../src/predictions/predictor.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { removalsRef } from '../../src/replay/spill-receipt.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { rawRecord } from '../recompute/harness.ts'
import { longValue } from '../recompute/spill-harness.ts'
import { call, openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, model, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
const customer = features({ ever: count(visit) })
const churn = model('churn', { from: customer, inputs: ['ever'], owner: 'ana' })
const next = model('churn-next', { from: customer, inputs: ['ever'], owner: 'ana', shadowOf: 'churn' })
export default pipeline({ name: 'shop', features: customer, models: [churn, next] })
`
const NOW = Date.now()
const USERS = 11
/** The shadow says twice as much, and of the first user nothing. */
const predictor: Predictor = {
  pinned: async () => predictor,
  predict: async bodies =>
    bodies.map(({ asOf, values }) => {
      const ever = Number(values['ever'])
      const shadow =
        ever === 1
          ? ({ status: 'refused', batchId: 'b2', detail: 'no' } as const)
          : ({ status: 'ok', batchId: 'b2', value: { visits: ever * 2, ...longValue(ever) } } as const)
      return {
        predictions: {
          asOf,
          models: { churn: { status: 'ok', batchId: 'b1', value: { visits: ever } }, 'churn-next': shadow },
        },
        models: { churn: 'b1', 'churn-next': 'b2' },
      }
    }),
  production: async () => ({ churn: 'b1', 'churn-next': 'b2' }),
}

let shop: Shop
let compiled: CompiledPipeline
let sequence = 0

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['users', 'archive'] })
  compiled = compilePipeline(await loadPipeline(shop.folder))
  // User n has n visits.
  for (let visits = USERS; visits >= 1; visits--) {
    await visit(Array.from({ length: visits }, (_, index) => `user-${USERS - index}`))
  }
})

afterAll(() => shop.close())

const millrace = (nowMs: number, ...words: string[]) =>
  call(words, { cwd: shop.folder, env: { ...shop.aws.env, USER: 'ana' }, clock: () => nowMs })

async function visit(users: readonly string[]): Promise<void> {
  const records = users.map(user => {
    sequence++
    const data = JSON.stringify({ type: 'visit', id: sequence, user, at: new Date(NOW - DAY_MS).toISOString() })
    return rawRecord(data, sequence, user, NOW)
  })
  const fail = () => Promise.reject(new Error('set aside'))
  const aside = { writeDeadLetters: fail, writeDoubt: fail }
  const { errors } = await recomputeBatch(records, {
    ...shop.connection,
    compiled,
    predictor,
    aside,
    remainingMs: () => 60_000,
  })
  expect(errors).toEqual([])
}

async function spilled(): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of shop.connection.archive.list('spill/')) keys.push(key)
  return keys
}

describe('users sweep-spills', () => {
  it('removes what no item names, after its grace, and leaves a receipt', async () => {
    const all = await spilled()
    // One for each number of visits from 2 on that a user has had.
    expect(all).toHaveLength((USERS * (USERS - 1)) / 2)
    const superseded = all.length - (USERS - 1)
    const early = await millrace(NOW + 6 * DAY_MS, 'users', 'sweep-spills', '--json')
    expect(JSON.parse(early.stdout)).toMatchObject({ young: all.length, removed: 0, receipt: null })
    const later = NOW + 8 * DAY_MS
    const dry = await millrace(later, 'users', 'sweep-spills', '--dry-run')
    expect(dry.stdout).toContain(`${superseded} would be removed`)
    expect(await spilled()).toHaveLength(all.length)
    const done = await millrace(later, 'users', 'sweep-spills', '--why', 'spring cleaning')
    expect(done).toMatchObject({ exitCode: 0, stderr: '' })
    expect(done.stdout).toContain(`${superseded} were removed`)
    const left = new Set(await spilled())
    expect(left.size).toBe(USERS - 1)
    const ref = removalsRef({ pipeline: 'shop', stage: 'dev' })
    const [entry] = await shop.connection.catalog.history(ref)
    expect(entry).toMatchObject({ who: 'ana', why: `${superseded} predictions removed: spring cleaning` })
    const lines: string[] = []
    for await (const { body } of (await shop.connection.catalog.load(ref)).parts()) {
      lines.push(...Buffer.from(body).toString('utf8').trim().split('\n'))
    }
    const receipt = lines.map(line => (JSON.parse(line) as { key: string }).key)
    expect(receipt.toSorted()).toEqual(all.filter(key => !left.has(key)).sort())
  })

  it('is refused while somebody else is at it, which looking is not', async () => {
    const ref = removalsRef({ pipeline: 'shop', stage: 'dev' })
    const lease = await shop.connection.takeLease(ref, ref.partition, { who: 'bob', what: 'users sweep-spills' })
    const refused = await millrace(NOW, 'users', 'sweep-spills', '--json')
    expect(refused.exitCode).toBe(1)
    expect(JSON.parse(refused.stderr).error).toMatchObject({
      code: 'lease-held',
      message: expect.stringContaining('bob is at it: users sweep-spills'),
      next: expect.stringMatching(/wait until 20\d\d-/),
    })
    expect(await millrace(NOW, 'users', 'sweep-spills', '--dry-run')).toMatchObject({ exitCode: 0 })
    await lease.release()
    expect(await millrace(NOW, 'users', 'sweep-spills')).toMatchObject({ exitCode: 0 })
    expect(await millrace(NOW, 'users', 'sweep-spills')).toMatchObject({ exitCode: 0 })
  })

  it('takes no grace of less than a day', async () => {
    expect(await millrace(NOW, 'users', 'sweep-spills', '--grace', '1h')).toMatchObject({ exitCode: 2 })
  })
})

describe('model shadow', () => {
  it('needs a snapshot', async () => {
    const answer = await millrace(NOW + 30 * DAY_MS, 'model', 'shadow', 'churn-next')
    expect(answer.exitCode).not.toBe(0)
    expect(answer.stderr).toContain('There is no snapshot')
  })

  it('says how far the shadow is from what is served, whole values among them', async () => {
    await takeSnapshot({ ...shop.connection, compiled, predictor }, { instantMs: NOW, who: 'ana', why: 'test' })
    const { exitCode, stdout } = await millrace(NOW, 'model', 'shadow', 'churn-next', '--json')
    expect(exitCode).toBe(0)
    const report = JSON.parse(stdout) as { outputs: { rankCorrelation: number; deciles: unknown[] }[] }
    expect(report).toMatchObject({
      shadowOf: 'churn',
      users: USERS,
      compared: USERS - 1,
      served: { ok: USERS },
      shadow: { ok: USERS - 1, refused: 1 },
      outputs: [{ name: 'visits', users: USERS - 1, changed: USERS - 1, rankCorrelation: 1 }],
    })
    const text = (await millrace(NOW, 'model', 'shadow', 'churn-next', '--tolerance', '100')).stdout
    expect(text).toContain('churn-next: 10 ok, 1 refused')
    expect(text).toContain('visits: 0 of 10 users (0%) differ by more than 100')
    expect(text).toContain('scores.class-105 and 591 more')
    expect(text).toMatch(/decile {2}1: 2\.0000 → 4\.0000 \(\+2\.0000\), 1 users/)
  })

  it('knows which models are shadows', async () => {
    expect((await millrace(NOW, 'model', 'shadow', 'churn')).stderr).toContain('The model churn is no shadow')
    expect((await millrace(NOW, 'model', 'shadow', 'nobody')).stderr).toContain('Name one of the shadows: churn-next.')
    expect((await millrace(NOW, 'model', 'shadow', 'churn-next', '--tolerance', 'x')).exitCode).toBe(2)
  })
})
