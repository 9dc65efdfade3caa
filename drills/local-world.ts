// What a drill asks for, on a real deployment: the local cloud with the packaged functions, the command line as a process, HTTP.
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { LocalCloud } from '../localstack/local-cloud.ts'
import type { Refusal, Refuse } from '../localstack/refusal.ts'
import { STAGE_DEFAULT } from '../src/cli/stage.ts'
import { awsClients } from '../src/compose/clients.ts'
import { type Connection, connect } from '../src/compose/connect.ts'
import { connectOperations } from '../src/compose/operations.ts'
import { deliver } from '../src/event/producer.ts'
import pipeline from '../src/pipeline/index.ts'
import { systemClock, systemSleep } from '../src/platform/clock.ts'
import { MINUTE_MS } from '../src/platform/duration.ts'
import { millrace } from './command.ts'
import { openDrillFolder } from './deployment.ts'
import type { Drill, DrillWorld, HttpAnswer, Sent } from './drill.ts'
import type { Story } from './story.ts'

const ROOT = join(import.meta.dirname, '..')
const LOG_FILE = join(ROOT, 'build', 'drill.log')
/** Ten times what it takes where nothing else runs. */
const SETTLE_MS_MAX = 3 * MINUTE_MS
/** What a metric is summed over: longer than any drill. */
const METRIC_SPAN_MS = 30 * MINUTE_MS

export interface LocalWorld extends DrillWorld {
  stop(): Promise<void>
}

interface Running {
  readonly local: LocalCloud
  readonly connection: Connection
}

export interface LocalWorldOptions {
  readonly story: Story
  readonly runbook: string
  /** Without it the failure is left out. */
  readonly isBroken: boolean
}

export async function startLocalWorld(
  drill: Drill,
  { story, runbook, isBroken }: LocalWorldOptions,
): Promise<LocalWorld> {
  const folder = await openDrillFolder(drill.name, { isDeployedAnew: false, retriesMax: undefined, ...drill.settings })
  mkdirSync(join(ROOT, 'build'), { recursive: true })
  const log = createWriteStream(LOG_FILE)
  let refusal: Refusal | undefined
  const usersTable = `${pipeline.name}-${STAGE_DEFAULT}-users`
  const refuse: Refuse = (_target, body) => (body.includes(JSON.stringify(usersTable)) ? refusal : undefined)
  const start = async (): Promise<Running> => {
    const local = await folder.start({ refuse, log: line => void log.write(`${line}\n`) })
    const env = { AWS_ENDPOINT_URL: local.endpoint }
    return { local, connection: connect({ pipeline: pipeline.name, stage: STAGE_DEFAULT, env }) }
  }
  const stopCloud = async ({ local, connection }: Running): Promise<void> => {
    connection.close()
    await local.stop()
  }
  let running = await start()
  const env = () => ({ AWS_ENDPOINT_URL: running.local.endpoint })
  return {
    story,
    runbook,
    pipeline: pipeline.name,
    clock: systemClock,
    sleep: systemSleep,
    millrace: words => millrace(words, { cwd: folder.path, endpoint: running.local.endpoint }),
    send: events => send(events, running.connection),
    settle: () => running.local.waitUntilDrained({ timeoutMs: SETTLE_MS_MAX }),
    get: path => get(running.local.endpoint, path),
    async deploy(edit) {
      await folder.deployable(edit)
      await stopCloud(running)
      running = await start()
    },
    refuseUsersTable: next => void (refusal = next),
    damageItem: userId => damageItem(userId, { env: env(), usersTable }),
    deleteItems: userIds => deleteItems(userIds, { env: env(), usersTable }),
    metricSum: (name, dimensions) => metricSum({ name, dimensions }, env()),
    async writeFile(name, content) {
      const path = join(folder.path, name)
      writeFileSync(path, content)
      return path
    },
    async breakIt(what, work) {
      story.chapter('What broke')
      story.say(isBroken ? what : `Nothing: the failure was left out. (${what})`)
      if (isBroken) await work()
    },
    async stop() {
      await stopCloud(running)
      folder.remove()
      await new Promise<void>(resolve => log.end(resolve))
    },
  }
}

async function send(
  events: readonly Sent[],
  { events: writer, random, sleep: wait, clock }: Connection,
): Promise<void> {
  const deliveries = await deliver(events, { writer, random, sleep: wait, clock })
  const lost = deliveries.filter(({ outcome }) => outcome === 'undelivered').length
  if (lost > 0) throw new Error(`${lost} of ${events.length} events were not delivered to the stream`)
}

async function get(endpoint: string, path: string): Promise<HttpAnswer> {
  const response = await fetch(`${endpoint}${path}`)
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : text }
}

interface UsersTable {
  readonly env: Readonly<Record<string, string>>
  readonly usersTable: string
}

async function deleteItems(userIds: readonly string[], { env, usersTable }: UsersTable): Promise<void> {
  const clients = awsClients(env)
  try {
    for (const userId of userIds)
      await clients.dynamodb.send(new DeleteItemCommand({ TableName: usersTable, Key: { userId: { S: userId } } }))
  } finally {
    clients.destroy()
  }
}

/** The bit in the middle of the state, written back as nothing of Millrace would write it: without a condition. */
async function damageItem(userId: string, { env, usersTable }: UsersTable): Promise<void> {
  const clients = awsClients(env)
  try {
    const Key = { userId: { S: userId } }
    const { Item } = await clients.dynamodb.send(
      new GetItemCommand({ TableName: usersTable, Key, ConsistentRead: true }),
    )
    const state = Item?.['st']?.B
    if (state === undefined) throw new Error('The user has no stored state to damage')
    const damaged = Uint8Array.from(state)
    const middle = damaged.length >>> 1
    damaged[middle] = (damaged[middle] ?? 0) ^ 1
    await clients.dynamodb.send(new PutItemCommand({ TableName: usersTable, Item: { ...Item, st: { B: damaged } } }))
  } finally {
    clients.destroy()
  }
}

async function metricSum(
  { name, dimensions }: { readonly name: string; readonly dimensions: Readonly<Record<string, string>> },
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const { metrics, close } = connectOperations(env)
  try {
    const toMs = Math.ceil((systemClock() + 1) / MINUTE_MS) * MINUTE_MS
    const query = { namespace: 'Millrace', name, dimensions, statistic: 'Sum', periodMs: MINUTE_MS } as const
    const [points = []] = await metrics.read([query], { fromMs: toMs - METRIC_SPAN_MS, toMs })
    return points.reduce((sum, { value }) => sum + value, 0)
  } finally {
    close()
  }
}
