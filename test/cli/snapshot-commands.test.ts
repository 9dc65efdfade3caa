// `snapshot run` and `snapshot status` as a person calls them, on the local cloud's DynamoDB and S3.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { HOUR_MS } from '../../src/platform/duration.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import type { RunDependencies } from '../../src/snapshot/dependencies.ts'
import { snapshotRuns } from '../../src/snapshot/snapshot-runs.ts'
import { startRun } from '../../src/snapshot/start-run.ts'
import { workSegment } from '../../src/snapshot/work-segment.ts'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { typicalItem } from '../store/item-factory.ts'
import { openShop, type Shop, SHOP_NAMES } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', features: features({ visits1d: count(visit, { within: '1d' }), ever: count(visit) }), models: [] })
`
const NIGHT = Date.UTC(2026, 5, 3, 2, 15)
const DAY = { db: 'shop', table: 'users', partition: 'day=2026-06-03' }
const USERS = 7

let shop: Shop
let nowMs = NIGHT

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['users', 'archive'], clock: () => nowMs })
  for (let user = 0; user < USERS; user++) {
    const item = typicalItem(`user-${user}`, { state: '{}' })
    await shop.aws.clients.dynamodb.send(
      new PutItemCommand({ TableName: SHOP_NAMES.usersTable, Item: toAttributes(item) }),
    )
  }
})

afterAll(() => shop.close())

const millrace = (...words: string[]) => shop.millrace(...words)

/** As the function has it: two workers, of whom the first is done and the second was never heard of. */
async function halfARun(instantMs: number): Promise<void> {
  const { users, catalog, archive, random, sleep } = shop.connection
  const compiled = compilePipeline(await loadPipeline(shop.folder))
  const deps: RunDependencies = {
    compiled,
    users,
    catalog,
    runs: snapshotRuns(archive),
    clock: () => nowMs,
    random,
    sleep,
  }
  const { run } = await startRun(deps, {
    instantMs,
    who: 'functions/snapshot',
    why: 'nightly',
    segments: 2,
    scans: 2,
    models: {},
    whenRunning: 'refuse',
  })
  const predictor = {
    predict: async (all: readonly { asOf: number }[]) =>
      all.map(({ asOf }) => ({ predictions: { asOf, models: {} }, models: {} })),
  }
  expect(await workSegment({ ...deps, predictor }, run, { segment: 0 })).toBe('ended')
}

describe('snapshot status', () => {
  it('ends with 1 where there is none', async () => {
    const { exitCode, stdout, stderr } = await millrace('snapshot', 'status')
    expect(exitCode).toBe(1)
    expect(stdout).toBe('There is no snapshot of the last week\n')
    expect(stderr).toContain('millrace snapshot run')
  })
})

describe('a run that is not over', () => {
  it('is shown, refuses another one, and is ended from here', async () => {
    await halfARun(NIGHT)
    nowMs += HOUR_MS
    const status = await millrace('snapshot', 'status')
    expect(status.stdout).toMatch(
      /Run 1 of day=2026-06-03, by functions\/snapshot, since .*: 1 of 2 workers done, \d+ users/,
    )
    const refused = await millrace('snapshot', 'run', '--json')
    expect(refused.exitCode).toBe(1)
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'snapshot-running' } })

    const dry = await millrace('snapshot', 'run', '--resume', '--dry-run')
    expect(dry.stdout).toBe('Would go on with run 1 of day=2026-06-03, at 2026-06-03T02:15:00.000Z\n')
    expect(await shop.connection.catalog.current(DAY)).toBeUndefined()
    const resumed = await millrace('snapshot', 'run', '--resume', '--json')
    expect(JSON.parse(resumed.stdout)).toMatchObject({ ...DAY, users: USERS, segments: 2, pieces: 2 })
    expect(await shop.connection.catalog.history(DAY)).toHaveLength(1)
    expect((await millrace('snapshot', 'run', '--resume')).stderr).toContain('No run of the last days is open')
  })

  it('is given up, and never committed then', async () => {
    await halfARun(NIGHT + 2 * HOUR_MS)
    const dry = await millrace('snapshot', 'run', '--give-up', '--dry-run')
    expect(dry.stdout).toContain('Would give up run 2')
    const given = await millrace('snapshot', 'run', '--give-up', '--why', 'a bad night', '--json')
    expect(JSON.parse(given.stdout)).toMatchObject({ run: 2, isDryRun: false })
    expect((await millrace('snapshot', 'run', '--resume')).exitCode).toBe(1)
    const { stdout } = await millrace('snapshot', 'status')
    expect(stdout).toMatch(/Run 2 of day=2026-06-03, .*: given up, a bad night/)
    expect(await shop.connection.catalog.history(DAY)).toHaveLength(1)
  })
})

describe('the report', () => {
  it('is that of the newest snapshot, against the day before, and late after 26 hours', async () => {
    nowMs = NIGHT + 24 * HOUR_MS
    const run = await millrace('snapshot', 'run', '--read-units', '1000')
    expect(run.exitCode).toBe(0)
    expect(run.stdout).toContain(`${USERS} users at 2026-06-04T02:15:00.000Z: batch `)
    const status = await millrace('snapshot', 'status')
    expect(status.exitCode).toBe(0)
    expect(status.stdout).toContain('shop.users/day=2026-06-04, batch ')
    expect(status.stdout).toContain(`Since day=2026-06-03, ${USERS} users, batch `)
    expect(JSON.parse((await millrace('snapshot', 'status', '--json')).stdout)).toMatchObject({
      isLate: false,
      hangs: 0,
      newest: { partition: 'day=2026-06-04', rows: USERS, report: { users: USERS, corruptItems: 0 } },
    })
    nowMs += 27 * HOUR_MS
    const late = await millrace('snapshot', 'status', '--json')
    expect(late.exitCode).toBe(1)
    expect(JSON.parse(late.stderr)).toMatchObject({ error: { code: 'snapshot-late' } })
    expect((await millrace('snapshot', 'status', '--max-age', '28h')).exitCode).toBe(0)
  })

  it('refuses an instant before that of the snapshot that is there', async () => {
    const { exitCode, stderr } = await millrace('snapshot', 'run', '--at', '2026-06-04T00:00:00Z', '--json')
    expect(exitCode).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'snapshot-older' } })
    expect((await millrace('snapshot', 'run', '--resume', '--give-up')).exitCode).toBe(2)
  })
})
