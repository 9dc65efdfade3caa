// `model history --metric` as a person calls it, on the local cloud's DynamoDB and S3, with a real model, snapshots and an archive.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { parseOutcomes } from '../../src/cli/model-history-metric-outcomes.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { createPredictor } from '../../src/compose/predictor.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { modelRegistry } from '../../src/model/registry.ts'
import { toRfc3339 } from '../../src/platform/clock.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { artifactOf, zipOf } from '../model/factories.ts'
import { harness } from '../recompute/harness.ts'
import { jsonOf, openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, flag, model, number, pipeline, sum } from 'millrace'
const order = event('order.placed', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: { amount: number({ scale: 2 }), gift: flag() } })
const customer = features({ a: count(order), b: sum(order, 'amount'), c: count(order, { within: '1d' }) })
export default pipeline({
  name: 'shop', events: [order], features: customer,
  models: [model('churn', { from: customer, inputs: ['a', 'b', 'c'], owner: 'ana' })],
})
`
const [MINUTE, DAY] = [60_000, 86_400_000]
/** Days to come: the version is published now, and what happens after that is predicted by it. */
const FIRST = (Math.floor(Date.now() / DAY) + 2) * DAY
const USERS = 6

let shop: Shop
let batchId = ''

/** Two orders of each user, on the first and on the second day; every third is a gift. */
const orders: readonly StreamRecord[] = Array.from({ length: 2 * USERS }, (_, n) => {
  const [user, ts] = [`user-${n % USERS}`, FIRST + Math.floor(n / USERS) * DAY + (n + 1) * MINUTE]
  const payload = { type: 'order.placed', id: `o${n}`, user, at: toRfc3339(ts), amount: n, gift: n % 3 === 0 }
  return {
    stream: 'events@1',
    shard: 'shardId-000000000000',
    sequence: String(n + 1),
    arrivalMs: ts,
    partitionKey: user,
    dataBase64: Buffer.from(JSON.stringify(payload)).toString('base64'),
  }
})

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['archive'] })
  const { catalog, archive } = shop.connection
  const compiled = compilePipeline(await loadPipeline(shop.folder))
  const fingerprints = new Map(compiled.features.features.map(({ name, fingerprint }) => [name, fingerprint]))
  const inputs = ['a', 'b', 'c'].map(name => {
    return { name, fingerprint: fingerprints.get(name) ?? '', type: 'number' as const, missing: 0 }
  })
  const zip = zipOf(artifactOf('wide', { inputs }))
  const words = { who: 'ana', why: 'first' }
  batchId = (await modelRegistry(catalog).publish({ zip, openSession: openOnnxSession, ...words })).batchId
  expect(await archiveBatch(orders, archive)).toMatchObject({ failedSequence: undefined })
  const onError = (error: unknown): void => {
    throw error
  }
  const predictor = createPredictor(compiled, { catalog, clock: Date.now, refreshMs: 0, onError })
  const run = harness({ compiled, predictor })
  await run.deliver(orders.slice(0, USERS))
  await takeSnapshot({ compiled, users: run.users, predictor, catalog }, { instantMs: FIRST + DAY, ...words })
})

afterAll(() => shop.close())

const millrace = (...words: string[]) => shop.millrace('model', 'history', 'churn', ...words)

async function millraceJson(...words: string[]) {
  return jsonOf(await millrace(...words, '--json'))
}

const GIFTS = ['--metric', 'auc', '--outcomes', 'order.placed.gift']

describe('millrace model history --metric', () => {
  it('holds events against snapshots, and says so', async () => {
    const { exitCode, json } = await millraceJson(...GIFTS)
    expect(exitCode).toBe(0)
    expect(json).toMatchObject({
      model: 'churn',
      output: 'probability',
      way: 'snapshots',
      counts: { outcomes: 2 * USERS, joined: USERS, withoutPrediction: USERS },
      versions: [{ batchId, outcomes: USERS, training: [{ slice: 'all', value: 0.71 }] }],
      periods: [{ start: FIRST + DAY, batchId, meanSeen: 1 / 3 }],
    })
    const { stdout } = await millrace(...GIFTS)
    expect(stdout).toContain('Predictions from snapshots: the newest strictly before each outcome, at most 48 h old.')
    expect(stdout).toContain(`commit ${batchId} by ana: first`)
    expect(stdout).toMatch(new RegExp(`${toRfc3339(FIRST + DAY).slice(0, 10)} +${batchId} +\\d\\.\\d{4} ± `))
  })

  it('replays predictions where it is asked to, and says so', async () => {
    const { json } = await millraceJson(...GIFTS, '--replayed', '--by', 'week')
    expect(json).toMatchObject({ way: 'replayed', by: 'week', counts: { joined: 2 * USERS } })
    expect((await millrace(...GIFTS, '--replayed')).stdout).toContain('not what was stored')
  })

  it('takes outcomes from a file, with weights, and another column for the label', async () => {
    const time = toRfc3339(FIRST + DAY + MINUTE)
    const rows = [`user-0,${time},20,2`, `user-1,${time},10,1`, `user-2,${time},,1`]
    await writeFile(join(shop.folder, 'seen.csv'), ['user,time,minutes,weight', ...rows].join('\n'))
    const words = ['--metric', 'brier', '--outcomes', 'seen.csv above 15']
    expect((await millraceJson(...words)).json).toMatchObject({ error: { code: 'outcomes-invalid' } })
    const { json } = await millraceJson(...words, '--label', 'minutes')
    expect(json).toMatchObject({ counts: { outcomes: 2, joined: 2, withoutLabel: 1 }, periods: [{ meanSeen: 2 / 3 }] })
  })

  it('takes outcomes from a table of the catalogue', async () => {
    const ref = { db: 'shop', table: 'seen', partition: 'all' }
    const columns = [
      { name: 'user', type: 'string' },
      { name: 'time', type: 'timestamp' },
      { name: 'label', type: 'double' },
    ] as const
    await shop.connection.catalog.createTable(ref, { columns, format: 'parquet', owner: 'ana' })
    const rows = [1, 2].map(n => ({ user: `user-${n}`, time: FIRST + DAY + MINUTE, label: n / 2 }))
    await storeRows(shop.connection.catalog, ref, { rows, who: 'ana', why: 'seen' })
    const { json } = await millraceJson('--metric', 'mae', '--outcomes', 'shop.seen/all')
    expect(json).toMatchObject({ counts: { outcomes: 2, joined: 2 }, periods: [{ meanSeen: 0.75 }] })
    const classes = await millraceJson('--metric', 'auc', '--outcomes', 'shop.seen/all')
    expect(classes.json).toMatchObject({ error: { code: 'labels-not-classes' } })
  })

  it('writes a page with a chart, and never over one that is there', async () => {
    expect(await millrace(...GIFTS, '--replayed', '--html', 'page.html')).toMatchObject({ exitCode: 0 })
    const page = await readFile(join(shop.folder, 'page.html'), 'utf8')
    expect(page).toContain('<svg ')
    expect(page).toContain(`commit ${batchId}`)
    expect((await millraceJson(...GIFTS, '--html', 'page.html')).json).toMatchObject({ error: { code: 'file-exists' } })
  })

  it('says what to do where nothing can be held against anything', async () => {
    const { exitCode, stdout } = await millrace(...GIFTS, '--horizon', '1m', '--to', toRfc3339(FIRST + DAY + MINUTE))
    expect(exitCode).toBe(0)
    expect(stdout).toContain('No outcome has a prediction to be held against.')
    expect(stdout).toContain('--replayed')
  })

  it('refuses what cannot be right before anything is read', async () => {
    const wrong: readonly (readonly string[])[] = [
      ['--metric', 'auc'],
      ['--metric', 'f1', '--outcomes', 'order.placed.gift'],
      ['--outcomes', 'order.placed.gift'],
      [...GIFTS, '--by', 'month'],
      [...GIFTS, '--horizon', 'long'],
      [...GIFTS, '--from', 'yesterday'],
      ['--metric', 'auc', '--outcomes', 'order.placed.amount over 15'],
      ['--metric', 'auc', '--outcomes', 'gift'],
    ]
    for (const words of wrong)
      expect({ words, exitCode: (await millrace(...words)).exitCode }).toMatchObject({ exitCode: 2 })
  })
})

describe('parseOutcomes', () => {
  it('knows events, files and tables, and a threshold behind them', () => {
    const parsed = (text: string) => parseOutcomes(text)
    expect(parsed('flight.arrived.delay above 15')).toEqual({
      named: { kind: 'events', type: 'flight.arrived', field: 'delay' },
      threshold: { comparison: 'above', than: 15 },
    })
    expect(parsed('order.gift')).toEqual({
      named: { kind: 'events', type: 'order', field: 'gift' },
      threshold: undefined,
    })
    expect(parsed('../my outcomes.csv atMost -0.5')).toEqual({
      named: { kind: 'file', path: '../my outcomes.csv' },
      threshold: { comparison: 'atMost', than: -0.5 },
    })
    const ref = { db: 'shop', table: 'seen', partition: 'day=2001-06-30' }
    expect(parsed('shop.seen/day=2001-06-30').named).toEqual({ kind: 'table', ref })
  })
})
