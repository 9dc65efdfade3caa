// Operating a deployment as a person does it, by the commands themselves, on a local cloud whose functions are the fixture's.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalCloud, startLocalCloud } from '../../localstack/local-cloud.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { testWorld } from '../cli/cli-world.ts'
import { eventsOf, put } from './cloud-events.ts'
import { writeFixtureBuild } from './fixture-functions.ts'
import { fixtureTemplate, type TemplateJson, withProperties } from './fixture-template.ts'

const PIPELINE = `
import { count, event, features, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', events: [visit], features: features({ visits: count(visit) }), models: [] })
`

/** Prints what the real one prints. */
const COMPACT = `
export async function handler({ hoursLeft }) {
  console.log(JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{
    Namespace: 'Millrace', Dimensions: [['service', 'function']], Metrics: [{ Name: 'hoursLeft', Unit: 'Count' }] }] },
    service: 'shop', function: 'compact', hoursLeft }))
}
`

/** Takes everything. */
const ARCHIVE = 'export const handler = async () => ({ batchItemFailures: [] })'

let folder = ''
let cloud: LocalCloud

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-operations-'))
  await mkdir(join(folder, 'src', 'pipeline'), { recursive: true })
  await writeFile(join(folder, 'src', 'pipeline', 'index.ts'), PIPELINE)
  const build = await writeFixtureBuild(join(folder, 'build'), operationsTemplate())
  for (const [name, code] of Object.entries({ archive: ARCHIVE, compact: COMPACT })) {
    await writeFile(join(folder, 'build', `${name}.zip`), zipSync({ 'index.mjs': strToU8(code) }))
  }
  cloud = await startLocalCloud({ build, port: 0, pollMs: 20, log: () => undefined })
  await cloud.startAll()
})

afterAll(async () => {
  await cloud.stop()
  await rm(folder, { recursive: true, force: true })
})

/** With what a status looks at besides: the catalogue, the archive's bucket under its real name, and a function that archives. */
function operationsTemplate(): TemplateJson {
  const template = withProperties(
    withProperties(fixtureTemplate(), 'ArchiveBucket', { BucketName: 'shop-dev-archive-000000000000' }),
    'EventsMapping',
    { MaximumBatchingWindowInSeconds: 0 },
  )
  const resources = template.Resources as Record<string, { Type: string; Properties: object }>
  const like = (logicalId: string, changes: object) => ({
    ...resources[logicalId],
    Properties: { ...resources[logicalId]?.Properties, ...changes },
  })
  const codeIn = (zip: string) => ({ S3Bucket: { Ref: 'ServerlessDeploymentBucket' }, S3Key: `x/${zip}.zip` })
  const key = { AttributeName: 'table', AttributeType: 'S' }
  return {
    ...template,
    Resources: {
      ...template.Resources,
      CatalogBucket: like('ArchiveBucket', { BucketName: 'shop-dev-catalog-000000000000' }),
      CatalogTable: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          TableName: 'shop-dev-catalog',
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [key, { AttributeName: 'sk', AttributeType: 'S' }],
          KeySchema: [
            { AttributeName: 'table', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
        },
      },
      ArchiveLambdaFunction: like('ServeLambdaFunction', { FunctionName: 'shop-dev-archive', Code: codeIn('archive') }),
      CompactLambdaFunction: like('ServeLambdaFunction', { FunctionName: 'shop-dev-compact', Code: codeIn('compact') }),
      ArchiveMapping: like('EventsMapping', { FunctionName: { Ref: 'ArchiveLambdaFunction' } }),
    },
  }
}

async function millrace(...words: string[]) {
  const world = testWorld({
    cwd: folder,
    env: { AWS_ENDPOINT_URL: cloud.endpoint, USER: 'ana' },
    clock: () => Date.now(),
  })
  const exitCode = await runCli(words, COMMANDS, world)
  return { exitCode, ...world.written }
}

interface Line {
  readonly name: string
  readonly verdict: string
  readonly text: string
  readonly next: string | null
  readonly values: Readonly<Record<string, unknown>>
}

async function status(...words: string[]) {
  const { exitCode, stdout } = await millrace('status', '--json', ...words)
  const { isHealthy, lines } = JSON.parse(stdout) as { readonly isHealthy: boolean; readonly lines: readonly Line[] }
  const line = (name: string): Line | undefined => lines.find(each => each.name === name)
  const unwell = lines.filter(({ verdict }) => verdict !== 'well').map(({ name }) => name)
  return { exitCode, isHealthy, line, unwell }
}

const lagOf = (line: Line | undefined): number => Number(line?.values['lagMs'])

describe('a deployment', () => {
  it('is well while its events are folded', async () => {
    await put(cloud, [{ user: 'bo' }])
    await cloud.waitUntilDrained()
    const { exitCode, isHealthy, line } = await status()
    expect({ exitCode, isHealthy }).toEqual({ exitCode: 0, isHealthy: true })
    expect(line('recompute')).toMatchObject({ values: { state: 'Enabled', errors: 0, throttles: 0 } })
    expect(Number(line('recompute')?.values['invocations'])).toBeGreaterThan(0)
    expect(line('archive')?.values).toMatchObject({ state: 'Enabled' })
    expect(line('ingest')).toBeUndefined()
  })

  it('that is paused falls behind, says who paused it and why, and catches up when it is resumed', async () => {
    const pausing = await millrace('pause', '--why', 'a bad contract')
    expect(pausing).toMatchObject({ exitCode: 0, stderr: '' })
    expect(pausing.stdout).toContain('millrace resume')
    await put(cloud, [{ user: 'bo' }, { user: 'cy' }])

    const before = await status()
    expect(before.exitCode).toBe(1)
    expect(before.unwell).toEqual(['recompute'])
    expect(before.line('recompute')?.next).toContain('millrace resume')
    expect(before.line('recompute')?.text).toContain('paused by ana (a bad contract), lag')
    expect(before.line('archive')?.text).toContain('enabled')
    await new Promise(resolve => setTimeout(resolve, 1100))
    const later = await status('--max-lag', '1s')
    expect(lagOf(later.line('recompute'))).toBeGreaterThanOrEqual(lagOf(before.line('recompute')) + 1000)
    expect(await eventsOf(cloud, 'bo')).toBe(1)

    const again = await millrace('pause', '--why', 'again')
    expect(again).toMatchObject({ exitCode: 0 })
    expect(again.stdout).toContain('nothing was changed')

    expect(await millrace('resume', '--dry-run')).toMatchObject({ exitCode: 0, stdout: 'Would resume recompute.\n' })
    expect((await status()).exitCode).toBe(1)
    expect(await millrace('resume')).toMatchObject({ exitCode: 0, stderr: '' })
    await cloud.waitUntilDrained()
    expect([await eventsOf(cloud, 'bo'), await eventsOf(cloud, 'cy')]).toEqual([2, 1])
    const after = await status()
    expect(after).toMatchObject({ exitCode: 0, unwell: [] })
    // The newest delivery was of events that had waited.
    expect(lagOf(after.line('recompute'))).toBeGreaterThan(1000)
    expect((await status('--max-lag', '1s')).unwell).toEqual(['recompute'])
  })

  it('has a history of who paused and resumed it', async () => {
    const { stdout } = await millrace('table', 'history', 'operations.shop', 'dev.recompute')
    expect(stdout.match(/ana: .*/g)).toEqual(['ana: resumed: by hand  (current)', 'ana: paused: a bad contract'])
  })

  it('is told about by what its functions print, and by how their invocations end', async () => {
    await cloud.invoke('compact', { hoursLeft: 9 })
    await expect(cloud.invoke('serve', { pathParameters: { userId: 'broken' } })).rejects.toThrow()
    const { exitCode, line, unwell } = await status()
    expect({ exitCode, unwell }).toEqual({ exitCode: 1, unwell: ['serve', 'compaction'] })
    expect(line('serve')).toMatchObject({ values: { invocations: 1, errors: 1 } })
    expect(line('compaction')).toMatchObject({ next: 'millrace archive compact', values: { hoursLeft: 9 } })
    expect((await status('--max-errors', '1')).unwell).toEqual(['compaction'])
  })
})

describe('a command', () => {
  it.each([
    ['pauses nothing without a reason', ['pause'], 2],
    ['pauses nothing that reads no stream', ['pause', '--function', 'serve', '--why', 'x'], 2],
    ['takes no duration that is none', ['status', '--since', 'yesterday'], 2],
    ['finds no deployment under another stage', ['pause', '--stage', 'prod', '--why', 'x'], 1],
  ])('%s', async (_name, words, exitCode) => {
    expect((await millrace(...words)).exitCode).toBe(exitCode)
  })
})
