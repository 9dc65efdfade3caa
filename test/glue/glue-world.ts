// A pipeline's folder, its catalogue on the local cloud, moto's Glue beside it, and the command line between them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  GetPartitionCommand,
  GetPartitionsCommand,
  GetTableCommand,
  type GlueClient,
  type Partition,
  type Table,
} from '@aws-sdk/client-glue'
import { glueClient } from '../../src/catalog/glue-catalog.ts'
import type { PartitionRef } from '../../src/catalog/names.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { clientOptions } from '../../src/compose/clients.ts'
import { type Connection, connect } from '../../src/compose/connect.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import { testWorld } from '../cli/cli-world.ts'
import { type LocalAws, startLocalAws } from '../fakes/local-aws.ts'
import { type MotoServer, portOf, startMoto } from './moto-server.ts'

export const PREFIX = 'shop_dev__'
export const USERS = { db: 'shop', table: 'users' }
export const DAY = { ...USERS, partition: 'day=2001-06-30' }
export const MIRROR = { DatabaseName: 'shop_dev__shop', TableName: 'users' }

const PIPELINE = `
import { count, event, features, pipeline } from '${join(resolve(import.meta.dirname, '..', '..'), 'src', 'api', 'index.ts')}'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', events: [visit], features: features({ visits: count(visit) }), models: [] })
`

export interface GlueWorld {
  readonly aws: LocalAws
  readonly env: Readonly<Record<string, string>>
  readonly connection: Connection
  readonly glue: GlueClient
  /** Of commits whose mirror was not moved. */
  readonly warnings: unknown[]
  readonly millrace: (...words: string[]) => Promise<{ exitCode: number; json: SyncOutcome; stderr: string }>
  readonly table: (name?: string) => Promise<Table | undefined>
  readonly partition: (value?: string, name?: string) => Promise<Partition | undefined>
  readonly partitions: (name?: string) => Promise<readonly Partition[]>
  readonly stopGlue: () => Promise<void>
  /** With nothing in it. */
  readonly startGlueAnew: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** What `table sync --json` prints. */
export interface SyncOutcome {
  readonly tables: readonly {
    readonly table: string
    readonly drift: readonly DriftRow[]
    readonly left: readonly DriftRow[]
  }[]
  readonly skipped: readonly string[]
  readonly failed: readonly { readonly code: string }[]
  readonly error?: { readonly code: string }
}

export interface DriftRow {
  readonly partition: string | null
  readonly kind: string
  readonly differences: readonly {
    readonly field: string
    readonly mirror: string | null
    readonly catalogue: string
  }[]
}

export async function openGlueWorld(motoServer: string): Promise<GlueWorld> {
  let moto: MotoServer = await startMoto(motoServer)
  const aws = await startLocalAws()
  const names = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })
  await aws.createCatalogTable(names.catalogTable)
  await aws.createUsersTable(names.usersTable)
  await aws.createBucket(names.catalogBucket)
  await aws.createBucket(names.archiveBucket)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-glue-'))
  mkdirSync(join(folder, 'src', 'pipeline'), { recursive: true })
  writeFileSync(join(folder, 'src', 'pipeline', 'index.ts'), PIPELINE)
  const env = { ...aws.env, AWS_ENDPOINT_URL_GLUE: moto.url, MILLRACE_GLUE_DATABASE_PREFIX: PREFIX, USER: 'ana' }
  const warnings: unknown[] = []
  const connection = connect({ pipeline: 'shop', stage: 'dev', env, onMirrorError: error => warnings.push(error) })
  const glue = glueClient(clientOptions({ ...env, AWS_ENDPOINT_URL: moto.url }))
  return {
    aws,
    env,
    connection,
    glue,
    warnings,
    millrace: async (...words) => {
      const world = testWorld({ cwd: folder, env, clock: Date.now })
      const exitCode = await runCli([...words, '--json'], COMMANDS, world)
      const { stdout, stderr } = world.written
      return { exitCode, stderr, json: JSON.parse(stdout || stderr) as SyncOutcome }
    },
    ...readers(glue),
    stopGlue: () => moto.stop(),
    async startGlueAnew() {
      moto = await startMoto(motoServer, portOf(moto))
    },
    async stop() {
      connection.close()
      glue.destroy()
      await Promise.all([moto.stop(), aws.stop()])
      rmSync(folder, { recursive: true })
    },
  }
}

function readers(glue: GlueClient): Pick<GlueWorld, 'table' | 'partition' | 'partitions'> {
  return {
    async table(name = 'users') {
      const command = new GetTableCommand({ DatabaseName: MIRROR.DatabaseName, Name: name })
      return (await glue.send(command).catch(missing))?.Table
    },
    async partition(value = '2001-06-30', name = 'users') {
      const command = new GetPartitionCommand({ ...MIRROR, TableName: name, PartitionValues: [value] })
      return (await glue.send(command).catch(missing))?.Partition
    },
    async partitions(name = 'users') {
      const command = new GetPartitionsCommand({ DatabaseName: MIRROR.DatabaseName, TableName: name })
      return (await glue.send(command)).Partitions ?? []
    },
  }
}

function missing(error: unknown): undefined {
  if (error instanceof Error && error.name === 'EntityNotFoundException') return undefined
  throw error
}

/** What an engine would read: the objects that the one at the location lists. */
export async function listedParts({ connection }: GlueWorld, partition: Partition | undefined): Promise<string[]> {
  const { catalogBucket } = connection.names
  const location = partition?.StorageDescriptor?.Location ?? ''
  const root = `s3://${catalogBucket}/`
  if (!location.startsWith(root)) throw new Error(`${location} is not in ${root}`)
  const { objects } = await connection.openMirror()
  const keys: string[] = []
  for await (const { key } of objects.list(location.slice(root.length))) keys.push(key)
  const texts = await Promise.all(keys.map(async key => new TextDecoder().decode(await objects.get(key))))
  return texts.flatMap(text => text.split('\n')).filter(line => line !== '')
}

export function batchOf(ref: PartitionRef, batchId: string): string {
  return `${ref.db}/${ref.table}/${ref.partition}/${batchId}/`
}

/** Returns figures for people. */
export type Case = readonly [name: string, run: (world: GlueWorld) => Promise<string>]
