// What a command needs to be tried as a person calls it: a folder with a pipeline, what is deployed of it on the local cloud's DynamoDB,
// S3 and Kinesis, and a call of the command itself.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { COMMANDS } from '../../src/cli/commands.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { type Connection, connect } from '../../src/compose/connect.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import { type LocalAws, startLocalAws } from '../fakes/local-aws.ts'
import { testWorld } from './cli-world.ts'

/** Of the pipeline that tests call `shop`, where it is deployed. */
export const SHOP_NAMES = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })

const API = join(import.meta.dirname, '..', '..', 'src', 'api', 'index.ts')

/** A new folder of that prefix whose src/pipeline/index.ts is `source`, which imports from 'millrace'. Its caller removes it. */
export async function pipelineFolder(prefix: string, source: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix))
  await mkdir(join(folder, 'src', 'pipeline'), { recursive: true })
  const code = source.replace(`'millrace'`, JSON.stringify(API))
  await writeFile(join(folder, 'src', 'pipeline', 'index.ts'), code)
  return folder
}

export interface Ran {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface CallOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Stands still at 0 unless given. */
  readonly clock?: () => number
}

/** The command line in this process. */
export async function call(words: readonly string[], options: CallOptions): Promise<Ran> {
  const world = testWorld(options)
  const exitCode = await runCli(words, COMMANDS, world)
  return { exitCode, ...world.written }
}

/** With --json: what stands on stdout, or, where it failed, on stderr. */
export function jsonOf({ exitCode, stdout, stderr }: Ran) {
  return { exitCode, json: JSON.parse(exitCode === 0 ? stdout : stderr) }
}

export interface ShopOptions {
  /** Of a pipeline named `shop`. */
  readonly source: string
  /** Beside the catalogue. */
  readonly with?: readonly ('users' | 'archive' | 'stream')[]
  /** Of the commands; the real time unless given. */
  readonly clock?: () => number
}

export interface Shop {
  readonly folder: string
  readonly aws: LocalAws
  readonly connection: Connection
  /** As `ana`, in the folder. */
  millrace(...words: string[]): Promise<Ran>
  close(): Promise<void>
}

export async function openShop(options: ShopOptions): Promise<Shop> {
  const parts = new Set(options.with)
  const folder = await pipelineFolder('millrace-shop-', options.source)
  const aws = await startLocalAws()
  await aws.createCatalog(SHOP_NAMES)
  if (parts.has('users')) await aws.createUsersTable(SHOP_NAMES.usersTable)
  if (parts.has('archive')) await aws.createBucket(SHOP_NAMES.archiveBucket)
  if (parts.has('stream')) await aws.createStream(SHOP_NAMES.eventsStream)
  const connection = connect({ pipeline: 'shop', stage: 'dev', env: aws.env })
  return {
    folder,
    aws,
    connection,
    millrace: (...words) => {
      const { clock = Date.now } = options
      return call(words, { cwd: folder, env: { ...aws.env, USER: 'ana' }, clock })
    },
    async close() {
      connection.close()
      await aws.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
