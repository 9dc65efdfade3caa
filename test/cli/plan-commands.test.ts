// `plan`, `definitions record` and `definitions diff` as a person calls them, on the local cloud's DynamoDB and S3.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { modelRef } from '../../src/model/model-refs.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { artifactOf, zipOf } from '../model/factories.ts'
import { rawRecord } from '../recompute/harness.ts'
import { call, openShop, pipelineFolder, type Shop } from './shop-world.ts'

const NOW_MS = Date.UTC(2026, 0, 3, 9)

interface Source {
  readonly fields?: string
  readonly features?: string
  readonly options?: string
}

function source({ fields = `page: text()`, features = '', options = '' }: Source): string {
  return `import { count, distinct, event, features, lastK, model, number, pipeline, text, choice } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: { ${fields} } })
const visitor = features({ a: count(visit, { within: '1h' }), b: count(visit, { within: '1d' }), c: count(visit), ${features} })
const churn = model('churn', { from: visitor, inputs: ['a', 'b', 'c'], owner: 'ana' })
export default pipeline({ name: 'shop', features: visitor, models: [churn], ${options} })
`
}

const folders: string[] = []
let shop: Shop

/** A repo of its own each time: a module is loaded once. */
async function repo(changes: Source = {}): Promise<string> {
  const folder = await pipelineFolder('plan-commands-', source(changes))
  folders.push(folder)
  return folder
}

const millrace = (cwd: string, ...words: string[]) =>
  call(words, { cwd, env: { ...shop.aws.env, USER: 'ana' }, clock: () => NOW_MS })

async function millraceJson(cwd: string, ...words: string[]) {
  const { exitCode, stdout } = await millrace(cwd, ...words, '--json')
  return { exitCode, json: JSON.parse(stdout) as Record<string, never> }
}

beforeAll(async () => {
  shop = await openShop({ source: source({}), with: ['archive'] })
})

afterAll(async () => {
  await shop.close()
  await Promise.all(folders.map(folder => rm(folder, { recursive: true, force: true })))
})

describe('a deploy from a folder', () => {
  let deployed = ''
  beforeAll(async () => {
    deployed = await repo()
  })

  it('is planned where nothing is deployed yet', async () => {
    const { exitCode, stdout } = await millrace(deployed, 'plan')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('nothing is recorded as deployed')
    expect(stdout).toContain('churn: none is published')
    const { stderr } = await millrace(deployed, 'definitions', 'diff')
    expect(stderr).toContain('definitions-missing')
  })

  it('is recorded once, and not by a dry run', async () => {
    expect((await millraceJson(deployed, 'definitions', 'record', '--dry-run')).json).toMatchObject({ before: null })
    const words = ['definitions', 'record', '--why', 'first']
    expect((await millraceJson(deployed, ...words)).json).toMatchObject({
      outcome: 'recorded',
      number: 1,
      why: 'first',
    })
    expect((await millrace(deployed, ...words)).stdout).toContain('Nothing has changed since')
    expect((await millrace(deployed, 'plan')).stdout).toContain('Nothing has changed.')
    expect((await millrace(deployed, 'definitions', 'diff')).stderr).toContain('definitions-single')
    expect((await millrace(deployed, 'table', 'history', 'definitions.shop', 'dev')).stdout).toContain('first')
  })

  it('that adds features is told with what they wait for, what they cost, and the model that goes on', async () => {
    await publishChurn(deployed)
    const added = await repo({
      features: `d: count(visit, { within: '2h' }), e: distinct(visit, 'page', { within: '30d' })`,
    })
    const { exitCode, stdout } = await millrace(added, 'plan')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('+ d: count(visit) within 2h (null until a backfill')
    expect(stdout).toContain('+ e: distinct(visit, page) within 30d exactTo 64 (null until a backfill, or up to 31d')
    expect(stdout).toMatch(/largest: \d+ → \d+ bytes of 65536/)
    expect(stdout).toContain('goes on')
    expect(stdout).toContain('Nothing would break.')
    const { json } = await millraceJson(added, 'plan')
    expect(json).toMatchObject({
      stage: 'dev',
      deployed: { number: 1 },
      features: { added: [{ name: 'd' }, { name: 'e' }], dropped: [] },
      readiness: { e: { kind: 'backfill' } },
      models: [{ name: 'churn', status: 'serves' }],
      events: null,
      breaks: [],
    })
  })

  it('that changes an input of a model in production exits with 1', async () => {
    const changed = await repo({ features: `b: count(visit, { within: '2d' })` })
    const { exitCode, stdout, stderr } = await millrace(changed, 'plan')
    expect(exitCode).toBe(1)
    expect(stdout).toContain('~ b: within 1d → 2d')
    expect(stdout).toContain('would be refused, for everybody: b was defined otherwise when it was trained')
    expect(stderr).toContain('plan-breaks')
  })

  it('says which version stands in where an earlier one fits, for whom, and until when', async () => {
    const changed = await repo({ features: `b: count(visit, { within: '2d' })` })
    const [first] = await shop.connection.catalog.history(modelRef('churn'))
    const fitting = await publishChurn(changed, 'trained on 2d')
    const current = await publishChurn(deployed, 'trained on 1d')
    const { exitCode, stdout } = await millrace(changed, 'plan')
    expect(exitCode).toBe(1)
    expect(stdout).toContain(
      `churn: ${current} would be refused: b was defined otherwise when it was trained; ${fitting}, the newest before it that fits, would stand in for new users, and for those that are there already once b can be told, until a version that fits is in production`,
    )
    expect(stdout).toContain(`would go back to ${fitting}`)
    const { json } = await millraceJson(changed, 'plan')
    expect(json).toMatchObject({
      models: [{ status: 'stood-in', batchId: current, servedBy: fitting, servedByNow: current, waitsFor: ['b'] }],
    })
    await shop.connection.catalog.yank(modelRef('churn'), { batchId: fitting, who: 'ana', why: 'wrong' })
    const { stdout: without } = await millrace(changed, 'plan')
    expect(without).toContain('none of the versions before it fits')
    expect(first?.batchId).not.toBe(current)
  })

  it('whose contracts refuse some of yesterday exits with 1, unless that share is allowed', async () => {
    await archiveYesterday()
    const stricter = await repo({ fields: `page: choice('home', 'cart')` })
    const { exitCode, json } = await millraceJson(stricter, 'plan')
    expect(exitCode).toBe(1)
    expect(json).toMatchObject({
      events: { source: '2026-01-02', events: 10, newlyRefused: 2, refusedBefore: 1, isWhole: true },
      contracts: { changed: [{ name: 'visit' }] },
    })
    const { stdout } = await millrace(stricter, 'plan', '--allow-refused', '0.2')
    expect(stdout).toContain('of 10 events of 2026-01-02, 2 (20%) would be refused that were not')
    expect(stdout).toContain('visit page: 2')
    expect((await millrace(stricter, 'plan', '--allow-refused', '0.2')).exitCode).toBe(0)
    expect((await millrace(stricter, 'plan', '--events', 'none')).exitCode).toBe(0)
    expect((await millraceJson(stricter, 'plan', '--events', '2025-12-31')).json).toMatchObject({
      events: { events: 0 },
    })
    expect((await millrace(stricter, 'plan', '--events', '2025-13-31')).exitCode).toBe(2)
  })

  it('is tried on a file of events too', async () => {
    const file = join(deployed, 'events.ndjson')
    const lines = ['home', 'fax'].map((page, index) => JSON.stringify(visit(index, page)))
    await writeFile(file, `${lines.join('\n')}\n`)
    const stricter = await repo({ fields: `page: choice('home', 'cart')` })
    for (const words of [[], ['--offline']]) {
      const { exitCode, json } = await millraceJson(stricter, 'plan', '--events', file, ...words)
      expect({ exitCode, json }).toMatchObject({ exitCode: 1, json: { events: { events: 2, newlyRefused: 1 } } })
    }
  })

  it('over the limit of an item exits with 1, says what is large and how to raise it, and is not packaged', async () => {
    const large = { features: `d: lastK(visit, 'page', { k: 100 })` }
    const { exitCode, stdout, stderr } = await millrace(await repo(large), 'plan', '--offline')
    expect(exitCode).toBe(1)
    expect(stdout).toContain('shop: this folder alone')
    expect(stderr).toMatch(/The largest states: \d+ bytes for d/)
    expect(stderr).toMatch(/itemBytesMax: \d+ \}\)/)
    for (const words of [[], ['--dry-run']]) {
      const packaged = await millrace(await repo(large), 'package', ...words)
      expect(packaged).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('definition-too-big') })
    }
    const raised = await repo({ ...large, options: 'itemBytesMax: 384 * 1024' })
    expect((await millrace(raised, 'plan', '--offline')).exitCode).toBe(0)
  })

  it('can be compared with any that was recorded, and with this folder', async () => {
    const next = await repo({ features: `c: count(visit, { where: { page: 'home' } })` })
    const record = await millraceJson(next, 'definitions', 'record')
    const first = (await shop.connection.catalog.history({ db: 'definitions', table: 'shop', partition: 'dev' })).at(-1)
    const { stdout } = await millrace(next, 'definitions', 'diff')
    expect(stdout).toContain(`From ${first?.batchId}`)
    expect(stdout).toContain('~ c: where nothing → [{"field":"page","operator":"is","value":"home"}]')
    expect((await millraceJson(next, 'definitions', 'diff', '--local')).json).toMatchObject({
      from: record.json['batchId'],
      to: 'local',
      features: { changed: [] },
    })
    const back = await millraceJson(deployed, 'definitions', 'diff', first?.batchId ?? '', '--local')
    expect(back.json).toMatchObject({ from: first?.batchId, features: { changed: [] } })
    const both = ['definitions', 'diff', first?.batchId ?? '', record.json['batchId'] ?? '']
    expect((await millraceJson(next, ...both)).json).toMatchObject({ features: { changed: [{ name: 'c' }] } })
    expect((await millrace(next, ...both, '--local')).exitCode).toBe(2)
    expect((await millrace(next, 'definitions', 'diff', 'yesterday')).exitCode).toBe(2)
  })
})

function visit(index: number, page: string) {
  return { type: 'visit', id: `v${index}`, user: 'ana', at: '2026-01-02T10:00:00Z', page }
}

async function archiveYesterday(): Promise<void> {
  const yesterday = Date.UTC(2026, 0, 2, 10)
  const payloads = Array.from({ length: 9 }, (_, index) => visit(index, index < 7 ? 'home' : 'fax'))
  const records = [...payloads, { type: 'visit' }].map((one, index) =>
    rawRecord(one, index + 1, 'ana', yesterday + index * 1000),
  )
  // Of the day before and of today: not asked for.
  const others = [-DAY_MS, DAY_MS].map((ms, index) =>
    rawRecord(visit(100 + index, 'fax'), 100 + index, 'ana', yesterday + ms),
  )
  await archiveBatch([...records, ...others], shop.connection.archive)
}

/** Trained on what the folder defines. */
async function publishChurn(folder: string, description = 'churn'): Promise<string> {
  const defined = definedFeatures(compilePipeline(await loadPipeline(folder)))
  const inputs = ['a', 'b', 'c'].map(name => ({
    name,
    fingerprint: defined.get(name)?.fingerprint ?? '',
    type: 'number' as const,
    missing: 'nan' as const,
  }))
  const file = join(folder, 'churn.zip')
  await writeFile(file, zipOf(artifactOf('wide', { inputs, description })))
  const { exitCode, json } = await millraceJson(folder, 'model', 'publish', file, '--to', 'production')
  expect({ exitCode, json }).toMatchObject({ exitCode: 0 })
  return String(json['batchId'])
}
