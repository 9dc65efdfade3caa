// Commits that the Python client makes, and the whole of what Glue and the catalogue's bucket then have of a table.
import { equal } from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Partition } from '@aws-sdk/client-glue'
import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { linksPrefix, mirrorName } from '../../src/catalog/mirror-plan.ts'
import type { TableRef } from '../../src/catalog/names.ts'
import { byCodePoint } from '../../src/platform/canonical-json.ts'
import { type GlueWorld, PREFIX } from './glue-world.ts'

export interface PythonCommit {
  readonly db: string
  readonly table: string
  readonly partitions: readonly string[]
  readonly partitionKeys?: readonly string[]
  /** Of a store. */
  readonly visits?: number
  readonly rows?: number
  /** Columns beside those of every table, with the value that is in each row. */
  readonly more?: Readonly<Record<string, number>>
  /** Of a rollback: a batch ID. */
  readonly to?: string
}

export interface PythonOutcome {
  /** A batch ID each, or the code of an error. */
  readonly ended: readonly string[]
  /** What was logged. */
  readonly stderr: string
}

export interface PythonOptions {
  readonly isAtOnce?: boolean
  /** In the place of the world's own. */
  readonly env?: Readonly<Record<string, string>>
}

export type PythonCommitter = (
  world: GlueWorld,
  commits: readonly PythonCommit[],
  options?: PythonOptions,
) => Promise<PythonOutcome>

const SCRIPT = join(import.meta.dirname, 'commit.py')

/** `python` has the client and what it imports. */
export function pythonCommitter(python: string): PythonCommitter {
  return async (world, commits, { isAtOnce = false, env = {} } = {}) => {
    const words = [SCRIPT, JSON.stringify(commits), ...(isAtOnce ? ['--at-once'] : [])]
    const { stdout, stderr } = await promisify(execFile)(python, words, {
      env: { ...process.env, ...world.env, ...env },
    })
    return { ended: JSON.parse(stdout) as string[], stderr }
  }
}

/** Without what no two writes have alike: when they were, and how many came before. */
const MOMENTS = new Set(['CreateTime', 'CreationTime', 'LastAccessTime', 'UpdateTime', 'VersionId'])

/** The table, its partitions and the lists of parts that they point to. */
export async function imageOf(world: GlueWorld, ref: TableRef): Promise<unknown> {
  const { name } = mirrorName({ databasePrefix: PREFIX }, ref)
  const partitions = [...(await world.partitions(name))].sort((a, b) => byCodePoint(textOf(a), textOf(b)))
  const lists = await Promise.all(partitions.map(partition => listOf(world, partition)))
  const image = { table: await world.table(name), partitions, lists }
  return JSON.parse(JSON.stringify(image, (member, value: unknown) => (MOMENTS.has(member) ? undefined : value)))
}

function textOf({ Values }: Partition): string {
  return Values?.join('/') ?? ''
}

export async function removeLists(world: GlueWorld, ref: TableRef): Promise<void> {
  const keys = await listKeys(world, ref)
  await world.aws.clients.s3.send(
    new DeleteObjectsCommand({
      Bucket: world.connection.names.catalogBucket,
      Delete: { Objects: keys.map(Key => ({ Key })) },
    }),
  )
}

async function listKeys({ aws, connection }: GlueWorld, ref: TableRef): Promise<string[]> {
  const command = new ListObjectsV2Command({ Bucket: connection.names.catalogBucket, Prefix: linksPrefix(ref) })
  const { Contents = [] } = await aws.clients.s3.send(command)
  return Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key])).sort(byCodePoint)
}

/** With its type; it must be there. */
async function listOf({ aws, connection }: GlueWorld, { StorageDescriptor }: Partition): Promise<unknown> {
  const [, Bucket, place] = /^s3:\/\/([^/]+)\/(.+)$/.exec(StorageDescriptor?.Location ?? '') ?? []
  equal(Bucket, connection.names.catalogBucket)
  const { Body, ContentType } = await aws.clients.s3.send(new GetObjectCommand({ Bucket, Key: `${place}parts.txt` }))
  return [ContentType, await Body?.transformToString()]
}
