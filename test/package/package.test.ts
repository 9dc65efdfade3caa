// What is deployed, as it is deployed: each x64 zip alone in an empty folder does its work against an AWS that has nothing.
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import {
  buildFolder,
  currentPackage,
  measureFunctions,
  packagePipeline,
  type PackageManifest,
} from '../../src/cli/package-pipeline.ts'
import { packageFacts } from '../../src/cli/package-root.ts'
import { sampleEvent } from '../../src/cli/sample-event.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import { type AwsStub, startAwsStub } from './aws-stub.ts'

/** recompute and serve carry ONNX Runtime; so does a snapshot, which evaluates everybody. */
const UNZIPPED_BYTES_MAX: Readonly<Record<string, number>> = {
  recompute: 65e6,
  serve: 65e6,
  snapshot: 65e6,
  archive: 3e6,
  compact: 3e6,
  ingest: 3e6,
}

const PREPARE_MS_MAX = 120_000
/** The local cloud starts, loads six functions and ends them. */
const LOCAL_MS_MAX = 120_000

const { root } = packageFacts()
const options = { cwd: root, arch: 'x64', stage: 'dev', env: process.env } as const
const zipOf = (name: string): Buffer => readFileSync(join(buildFolder(root, 'x64'), `${name}.zip`))

let manifest: PackageManifest
let folder: string
let aws: AwsStub

beforeAll(async () => {
  manifest = currentPackage(options) ?? (await packagePipeline(options))
  folder = mkdtempSync(join(tmpdir(), 'millrace-zips-'))
  for (const { name } of manifest.functions) {
    for (const [path, content] of Object.entries(unzipSync(zipOf(name)))) {
      mkdirSync(join(folder, name, dirname(path)), { recursive: true })
      writeFileSync(join(folder, name, path), content)
    }
  }
  aws = await startAwsStub()
}, PREPARE_MS_MAX)
afterAll(async () => {
  await aws.close()
  rmSync(folder, { recursive: true })
})

describe('the package', () => {
  it.each(Object.entries(UNZIPPED_BYTES_MAX))('%s is at most %i bytes unzipped', (name, bytesMax) => {
    const packaged = manifest.functions.find(one => one.name === name)
    const unzipped = Object.values(unzipSync(zipOf(name))).reduce((sum, content) => sum + content.length, 0)
    expect(packaged?.unzippedBytes).toBe(unzipped)
    expect(unzipped).toBeLessThanOrEqual(bytesMax)
  })

  it('has one platform of ONNX Runtime, and only where models are evaluated', () => {
    const natives = manifest.functions.flatMap(({ name }) =>
      Object.keys(unzipSync(zipOf(name)))
        .filter(path => path.endsWith('.node'))
        .map(path => `${name} ${path.split('/').slice(-3, -1).join('/')}`),
    )
    expect(new Set(natives)).toEqual(new Set(['recompute linux/x64', 'serve linux/x64', 'snapshot linux/x64']))
  })

  it(
    'is found to be up to date, and made again it is the same bytes',
    async () => {
      expect(currentPackage(options)).toEqual(manifest)
      expect(await measureFunctions(options)).toEqual(manifest.functions)
      for (const { name, sha256 } of manifest.functions) expect(sha256Hex(zipOf(name))).toBe(sha256)
    },
    PREPARE_MS_MAX,
  )

  it('is out of date for another stage, and once something that went in has changed', () => {
    expect(currentPackage({ ...options, stage: 'prod' })).toBeUndefined()
    expect(Object.keys(manifest.inputs)).toEqual(
      expect.arrayContaining(['serverless.yml', 'cloud/roles.yml', 'functions/serve.ts', 'src/pipeline/index.ts']),
    )
    const repo = mkdtempSync(join(tmpdir(), 'millrace-stale-'))
    for (const name of ['build', 'cloud', 'functions', 'node_modules', 'package-lock.json', 'serverless.yml']) {
      symlinkSync(join(root, name), join(repo, name))
    }
    cpSync(join(root, 'src'), join(repo, 'src'), { recursive: true })
    expect(currentPackage({ ...options, cwd: repo })).toEqual(manifest)
    appendFileSync(join(repo, 'src', 'pipeline', 'features.ts'), '\n')
    expect(currentPackage({ ...options, cwd: repo })).toBeUndefined()
    rmSync(repo, { recursive: true })
  })
})

describe('each zip, alone in an empty folder', () => {
  it('recompute folds an event and writes its user', async () => {
    const { result } = await invoke('recompute', { Records: [await kinesisRecord()] })
    expect(result).toEqual({ batchItemFailures: [] })
    expect(aws.calls).toEqual(
      expect.arrayContaining(['DynamoDB_20120810.BatchGetItem', 'DynamoDB_20120810.PutItem flights-dev-users']),
    )
  })

  it('recompute puts what is no event among the dead letters and goes on', async () => {
    const record = await kinesisRecord()
    const { result } = await invoke('recompute', {
      Records: [{ ...record, kinesis: { ...record.kinesis, data: '!' } }],
    })
    expect(result).toEqual({ batchItemFailures: [] })
    expect(aws.calls).toEqual([expect.stringMatching(/^PUT \/flights-dev-archive-000000000000\/deadletters\//)])
  })

  it('archive keeps the raw record', async () => {
    const { error } = await invoke('archive', { Records: [await kinesisRecord()] })
    expect(error).toBeUndefined()
    expect(aws.calls).toEqual([expect.stringMatching(/^PUT \/flights-dev-archive-000000000000\/raw\//)])
  })

  it('serve reads what recompute wrote, and says of anybody else that there is no such user', async () => {
    await invoke('recompute', { Records: [await kinesisRecord()] })
    const { result } = await invoke('serve', httpEvent('GET', '/users/{userId}', { path: '/users/u1' }))
    expect(aws.calls[0]).toBe('DynamoDB_20120810.GetItem flights-dev-users')
    expect(result).toMatchObject({ statusCode: 200 })
    const { body } = result as { readonly body: string }
    expect(JSON.parse(Buffer.from(body, 'base64').toString('utf8'))).toMatchObject({
      features: { values: {} },
      predictions: { models: {} },
    })
    const other = await invoke('serve', httpEvent('GET', '/users/{userId}', { path: '/users/u2' }))
    expect(other.result).toMatchObject({ statusCode: 404 })
  })

  it('ingest puts an event into the stream and answers 202', async () => {
    const body = JSON.stringify(await sample())
    const { result } = await invoke('ingest', httpEvent('POST', '/events', { path: '/events', body }))
    expect(result).toMatchObject({ statusCode: 202 })
    expect(aws.calls).toEqual(['Kinesis_20131202.PutRecords flights-dev-events'])
  })

  it('compact commits the raw records of an hour that is over as one batch', async () => {
    const record = await kinesisRecord()
    const kinesis = { ...record.kinesis, approximateArrivalTimestamp: Date.UTC(2017, 0, 2, 3) / 1000 }
    await invoke('archive', { Records: [{ ...record, kinesis }] })
    const { result } = await invoke('compact', { time: '2017-01-02T05:05:00Z' })
    expect(result).toMatchObject({ hoursLeft: 0 })
    expect(aws.calls).toContainEqual(
      expect.stringMatching(/\/flights\/events\/hour%3D2017-01-02T03\/\d+-\w+\/part-\d\d-0000/),
    )
    expect(aws.calls.at(-1)).toBe('DynamoDB_20120810.PutItem flights-dev-catalog')
  })

  it(
    'snapshot scans everybody and commits one batch, by two workers',
    async () => {
      const { result } = await invoke('snapshot', { time: '2026-01-02T02:15:00Z' })
      expect(result).toMatchObject({ partition: 'day=2026-01-02', run: 1, segments: 2 })
      const woken = aws.calls.filter(call => call.endsWith('/invocations'))
      expect(woken).toEqual(['POST /2015-03-31/functions/flights-dev-snapshot/invocations'])
      expect(aws.calls).toEqual(expect.arrayContaining(['DynamoDB_20120810.Scan flights-dev-users']))
      // What runs, as nobody has recorded it.
      expect(aws.calls).toContainEqual(
        expect.stringMatching(/^PUT .*-catalog-\d+\/definitions\/flights\/dev\/.*\/part-definitions\.json/),
      )
      const event = { snapshot: 'work', partition: 'day=2026-01-02', run: 1, segment: 1, turn: 0 }
      expect((await invoke('snapshot', event)).error).toBeUndefined()
      expect(
        aws.calls.filter(call => call.startsWith('PUT /flights-dev-catalog-000000000000/')).length,
      ).toBeGreaterThan(0)
      expect(aws.calls.at(-1)).toBe('DynamoDB_20120810.PutItem flights-dev-catalog')
    },
    PREPARE_MS_MAX,
  )
})

describe('millrace local', () => {
  it(
    'runs the package until it is told to stop, then stops what it started and ends well',
    async () => {
      const words = [join(root, 'bin', 'millrace.mjs'), 'local', '--json', '--port', '4611']
      const child = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
      const ended = new Promise(resolve => child.on('close', (code, signal) => resolve({ code, signal })))
      const { endpoint } = JSON.parse(await firstLine(child.stdout)) as { readonly endpoint: string }
      const pushed = await fetch(`${endpoint}/events`, { method: 'POST', body: JSON.stringify(await sample()) })
      expect(pushed.status).toBe(202)
      const get = () => fetch(`${endpoint}/users/u1/features`)
      const answer = await vi.waitFor(
        async () => {
          const response = await get()
          expect(response.status).toBe(200)
          return response
        },
        { timeout: 20_000, interval: 200 },
      )
      expect(await answer.json()).toMatchObject({ values: {} })
      child.kill('SIGTERM')
      expect(await ended).toEqual({ code: 0, signal: null })
      await expect(get()).rejects.toThrow('fetch failed')
    },
    LOCAL_MS_MAX,
  )
})

async function firstLine(stream: Readable): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line
  throw new Error('It ended without a word')
}

interface Outcome {
  readonly result?: unknown
  readonly error?: unknown
}

async function invoke(name: string, event: unknown): Promise<Outcome> {
  aws.calls.length = 0
  const child = spawn(process.execPath, [join(root, 'test', 'package', 'invoke-once.mjs')], {
    cwd: join(folder, name),
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      AWS_LAMBDA_FUNCTION_NAME: `flights-dev-${name}`,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL: aws.url,
      MILLRACE_USERS_TABLE: 'flights-dev-users',
      MILLRACE_CATALOG_TABLE: 'flights-dev-catalog',
      MILLRACE_ARCHIVE_BUCKET: 'flights-dev-archive-000000000000',
      MILLRACE_CATALOG_BUCKET: 'flights-dev-catalog-000000000000',
      MILLRACE_EVENTS_STREAM: 'flights-dev-events',
      MILLRACE_SNAPSHOT_SEGMENTS: '2',
    },
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')))
  child.stdin.end(JSON.stringify(event))
  const code = await new Promise(resolve => child.on('close', resolve))
  if (code !== 0) throw new Error(`${name} ended with ${String(code)}: ${errors}`)
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Outcome
}

async function sample(): Promise<object> {
  const pipeline = await loadPipeline(root)
  const [contract] = pipeline.events
  if (contract === undefined) throw new Error('The pipeline has no events')
  return sampleEvent(contract, { typePath: pipeline.typePath, id: '1', userId: 'u1', nowMs: Date.now() })
}

async function kinesisRecord() {
  return {
    eventID: 'shardId-000000000000:49590338271490256608559692538361571095921575989136588898',
    eventSource: 'aws:kinesis',
    eventSourceARN: 'arn:aws:kinesis:eu-central-1:000000000000:stream/flights-dev-events',
    awsRegion: 'eu-central-1',
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: 'u1',
      sequenceNumber: '49590338271490256608559692538361571095921575989136588898',
      approximateArrivalTimestamp: Date.now() / 1000,
      data: Buffer.from(JSON.stringify(await sample())).toString('base64'),
    },
  }
}

function httpEvent(
  method: string,
  resource: string,
  { path, body }: { readonly path: string; readonly body?: string },
) {
  return {
    version: '2.0',
    routeKey: `${method} ${resource}`,
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', host: 'localhost' },
    pathParameters: path.startsWith('/users/') ? { userId: path.split('/').at(-1) } : {},
    requestContext: { http: { method, path }, stage: '$default', requestId: 'r1' },
    ...(body === undefined ? {} : { body }),
    isBase64Encoded: false,
  }
}
