// The mirror in AWS Glue, which Athena and Spark read as their Hive metastore.
import {
  BatchCreatePartitionCommand,
  BatchDeletePartitionCommand,
  BatchUpdatePartitionCommand,
  CreateDatabaseCommand,
  CreateTableCommand,
  DeleteTableCommand,
  GetPartitionCommand,
  GetPartitionsCommand,
  type GetPartitionsCommandOutput,
  GetTableCommand,
  GlueClient,
  type GlueClientConfig,
  type Partition,
  type PartitionError,
  type PartitionInput,
  type StorageDescriptor,
  type TableInput,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { type CallOptions, endInTime, type TimeLeft } from '../platform/deadline.ts'
import { diagnoseServiceFailure, readServiceFailure } from '../platform/service-failure.ts'
import { CatalogError } from './errors.ts'
import type { MirrorName, MirrorPartition, MirrorStorage, MirrorTable, TableMirror } from './table-mirror.ts'

export interface GlueCatalogOptions {
  readonly client: GlueClient
  /** For ever unless given. */
  readonly timeLeftMs?: TimeLeft | undefined
}

/** AWS Glue API reference: of BatchCreatePartition and BatchUpdatePartition, and of BatchDeletePartition. */
const WRITES_MAX = 100
const DELETES_MAX = 25

const NOT_FOUND = 'EntityNotFoundException'
const EXISTS = 'AlreadyExistsException'
/** Somebody else updates the same table; who looks again afterwards sees what came of it. */
const CONCURRENT = 'ConcurrentModificationException'

export function glueClient(config: GlueClientConfig): GlueClient {
  return new GlueClient(config)
}

export function glueCatalog(options: GlueCatalogOptions): TableMirror {
  return {
    table: at => table(options, at),
    createTable: (at, created) => createTable(options, at, created),
    updateTable: (at, updated) => updateTable(options, at, updated),
    async dropTable(at) {
      const command = new DeleteTableCommand({ DatabaseName: at.database, Name: at.name })
      await call(options, at, send => options.client.send(command, send), [NOT_FOUND])
    },
    partition: (at, values) => partition(options, at, values),
    partitions: at => partitions(options, at),
    putPartitions: (at, put) => putPartitions(options, at, put),
    dropPartitions: (at, values) => dropPartitions(options, at, values),
  }
}

async function table(options: GlueCatalogOptions, at: MirrorName): Promise<MirrorTable | undefined> {
  const command = new GetTableCommand({ DatabaseName: at.database, Name: at.name })
  const answer = await call(options, at, send => options.client.send(command, send), [NOT_FOUND])
  const found = answer?.Table
  if (found === undefined) return undefined
  return {
    description: found.Description ?? '',
    partitionKeys: (found.PartitionKeys ?? []).map(({ Name }) => Name ?? ''),
    storage: fromDescriptor(found.StorageDescriptor),
    parameters: found.Parameters ?? {},
  }
}

async function createTable(options: GlueCatalogOptions, at: MirrorName, created: MirrorTable): Promise<void> {
  const command = new CreateTableCommand({ DatabaseName: at.database, TableInput: tableInput(at, created) })
  const create = (allowed: readonly string[]) =>
    call(options, at, send => options.client.send(command, send).then(() => true), allowed)
  if ((await create([EXISTS, NOT_FOUND])) === true) return
  const database = new CreateDatabaseCommand({
    DatabaseInput: { Name: at.database, Description: 'Mirror of a catalogue of Millrace' },
  })
  await call(options, at, send => options.client.send(database, send), [EXISTS])
  await create([EXISTS])
}

async function updateTable(options: GlueCatalogOptions, at: MirrorName, updated: MirrorTable): Promise<void> {
  // Every move of a column would otherwise keep the whole table once more, for ever.
  const command = new UpdateTableCommand({
    DatabaseName: at.database,
    TableInput: tableInput(at, updated),
    SkipArchive: true,
  })
  await call(options, at, send => options.client.send(command, send), [CONCURRENT])
}

async function partition(
  options: GlueCatalogOptions,
  at: MirrorName,
  values: readonly string[],
): Promise<MirrorPartition | undefined> {
  const command = new GetPartitionCommand({
    DatabaseName: at.database,
    TableName: at.name,
    PartitionValues: [...values],
  })
  const answer = await call(options, at, send => options.client.send(command, send), [NOT_FOUND])
  return answer?.Partition === undefined ? undefined : fromPartition(answer.Partition)
}

async function* partitions(options: GlueCatalogOptions, at: MirrorName): AsyncGenerator<MirrorPartition> {
  let next: string | undefined
  do {
    const command: GetPartitionsCommand = new GetPartitionsCommand({
      DatabaseName: at.database,
      TableName: at.name,
      ...(next === undefined ? {} : { NextToken: next }),
    })
    const page: GetPartitionsCommandOutput | undefined = await call(
      options,
      at,
      send => options.client.send(command, send),
      [NOT_FOUND],
    )
    for (const found of page?.Partitions ?? []) yield fromPartition(found)
    next = page?.NextToken
  } while (next !== undefined && next !== '')
}

/** One that is there is updated: Glue has no call that does either. */
async function putPartitions(
  options: GlueCatalogOptions,
  at: MirrorName,
  put: readonly MirrorPartition[],
): Promise<void> {
  for (const group of groups(put, WRITES_MAX)) {
    const target = { DatabaseName: at.database, TableName: at.name }
    const create = new BatchCreatePartitionCommand({ ...target, PartitionInputList: group.map(partitionInput) })
    const created = await call(options, at, send => options.client.send(create, send))
    const refused = failures(at, created?.Errors, [EXISTS])
    const existing = group.filter(({ values }) => refused.has(JSON.stringify(values)))
    if (existing.length === 0) continue
    const update = new BatchUpdatePartitionCommand({
      ...target,
      Entries: existing.map(each => ({ PartitionValueList: [...each.values], PartitionInput: partitionInput(each) })),
    })
    const updated = await call(options, at, send => options.client.send(update, send))
    failures(
      at,
      updated?.Errors?.map(({ PartitionValueList, ErrorDetail }) => ({
        PartitionValues: PartitionValueList,
        ErrorDetail,
      })),
      [NOT_FOUND],
    )
  }
}

async function dropPartitions(
  options: GlueCatalogOptions,
  at: MirrorName,
  values: readonly (readonly string[])[],
): Promise<void> {
  for (const group of groups(values, DELETES_MAX)) {
    const command = new BatchDeletePartitionCommand({
      DatabaseName: at.database,
      TableName: at.name,
      PartitionsToDelete: group.map(each => ({ Values: [...each] })),
    })
    const answer = await call(options, at, send => options.client.send(command, send), [NOT_FOUND])
    failures(at, answer?.Errors, [NOT_FOUND])
  }
}

/** Values of the partitions that were refused for one of the allowed reasons; throws for any other. */
function failures(
  at: MirrorName,
  errors: readonly PartitionError[] | undefined,
  allowed: readonly string[],
): ReadonlySet<string> {
  const refused = new Set<string>()
  for (const { PartitionValues, ErrorDetail } of errors ?? []) {
    const name = ErrorDetail?.ErrorCode ?? 'unknown'
    if (!allowed.includes(name)) {
      throw new CatalogError(`AWS Glue refused a partition of ${at.database}.${at.name}: ${name}`, {
        code: 'mirror-refused',
        next: 'Read the cause.',
        cause: new Error(ErrorDetail?.ErrorMessage ?? name),
      })
    }
    refused.add(JSON.stringify(PartitionValues ?? []))
  }
  return refused
}

/** undefined: one of the allowed failures. */
async function call<T>(
  { timeLeftMs }: GlueCatalogOptions,
  at: MirrorName,
  send: (options: CallOptions) => Promise<T>,
  allowed: readonly string[] = [],
): Promise<T | undefined> {
  try {
    return await endInTime(timeLeftMs, send)
  } catch (error) {
    if (allowed.includes(readServiceFailure(error).name)) return undefined
    throw asCatalogError(error, at)
  }
}

function tableInput(at: MirrorName, { description, partitionKeys, storage, parameters }: MirrorTable): TableInput {
  return {
    Name: at.name,
    Description: description,
    TableType: 'EXTERNAL_TABLE',
    Parameters: { ...parameters },
    // What stands in a path has no other type.
    PartitionKeys: partitionKeys.map(Name => ({ Name, Type: 'string' })),
    StorageDescriptor: toDescriptor(storage),
  }
}

function partitionInput({ values, storage, parameters }: MirrorPartition): PartitionInput {
  return { Values: [...values], Parameters: { ...parameters }, StorageDescriptor: toDescriptor(storage) }
}

function toDescriptor({ location, columns, inputFormat, outputFormat, serde }: MirrorStorage): StorageDescriptor {
  return {
    Location: location,
    Columns: columns.map(({ name, type }) => ({ Name: name, Type: type })),
    InputFormat: inputFormat,
    OutputFormat: outputFormat,
    SerdeInfo: { SerializationLibrary: serde, Parameters: { 'serialization.format': '1' } },
  }
}

function fromDescriptor(descriptor: StorageDescriptor | undefined): MirrorStorage {
  return {
    location: descriptor?.Location ?? '',
    columns: (descriptor?.Columns ?? []).map(({ Name, Type }) => ({ name: Name ?? '', type: Type ?? '' })),
    inputFormat: descriptor?.InputFormat ?? '',
    outputFormat: descriptor?.OutputFormat ?? '',
    serde: descriptor?.SerdeInfo?.SerializationLibrary ?? '',
  }
}

function fromPartition({ Values, StorageDescriptor: descriptor, Parameters }: Partition): MirrorPartition {
  return { values: Values ?? [], storage: fromDescriptor(descriptor), parameters: Parameters ?? {} }
}

function groups<T>(items: readonly T[], max: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / max) }, (_, index) =>
    items.slice(index * max, (index + 1) * max),
  )
}

function asCatalogError(error: unknown, { database, name }: MirrorName): CatalogError {
  const diagnosis = diagnoseServiceFailure(error, { kind: 'table', name: `${database}.${name} in AWS Glue` })
  if (diagnosis !== undefined) return new CatalogError(diagnosis.message, { ...diagnosis, cause: error })
  const failure = readServiceFailure(error)
  const answer = failure.status === undefined ? failure.name : `${failure.status} ${failure.name}`
  return new CatalogError(`AWS Glue answered ${answer} for ${database}.${name}`, {
    code: failure.isRetriable ? 'mirror-unavailable' : 'mirror-refused',
    retriable: failure.isRetriable,
    next: failure.isRetriable
      ? 'Run `millrace table sync` later.'
      : 'Read the cause: a missing permission, or a request that AWS Glue does not accept.',
    cause: error,
  })
}
