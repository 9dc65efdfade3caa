// A deployed pipeline as the command line and the demo reach it: the same adapters as the functions', found by the pipeline's name.
import type { CatalogStore } from '../catalog/catalog-store.ts'
import type { MirrorPorts } from '../catalog/compare-mirror.ts'
import type { TakeLease } from '../catalog/lease.ts'
import type { EventStreamWriter } from '../event/event-stream-writer.ts'
import { kinesisEventStreamWriter } from '../event/kinesis-event-stream-writer.ts'
import { kinesisRetentionMs } from '../event/kinesis-stream-retention.ts'
import { kinesisStreamTip } from '../event/kinesis-stream-tip.ts'
import type { StreamTip } from '../event/stream-tip.ts'
import { readTrustedKeys, type TrustedKeys } from '../model/signature.ts'
import { systemClock, systemSleep } from '../platform/clock.ts'
import { MillraceError } from '../platform/errors.ts'
import type { ObjectEnder, ObjectRemover, ObjectStore } from '../platform/object-store.ts'
import { systemRandom } from '../platform/random.ts'
import { s3ObjectEnder } from '../platform/s3-object-ender.ts'
import { dynamodbUserRemover } from '../store/dynamodb-user-remover.ts'
import type { UserRemover } from '../store/user-remover.ts'
import { type AwsClients, awsClients, localEndpoint } from './clients.ts'
import { connectMirror } from './connect-mirror.ts'
import { LOCAL_ACCOUNT_ID, type ResourceNames, resourceNames } from './resource-names.ts'
import type { SpillStore } from '../store/spill-store.ts'
import {
  archiveStore,
  bucketRemover,
  deployedLeases,
  deployedSpills,
  deployedStores,
  mirroredStores,
  type Stores,
  type World,
} from './stores.ts'

export interface Connection extends Stores, World {
  readonly names: ResourceNames
  readonly archive: ObjectStore
  readonly spills: SpillStore
  readonly remover: ObjectRemover
  /** What the catalogue is made of, and what takes its bytes away: for who keeps it in order. */
  readonly catalogStores: {
    readonly store: CatalogStore
    readonly objects: ObjectStore
    readonly remover: ObjectRemover
  }
  /** What takes a user out of everything, for the one command that may. */
  readonly forgetting: Forgetting
  readonly takeLease: TakeLease
  readonly events: EventStreamWriter
  /** Of `events`. */
  readonly tip: StreamTip
  /** MILLRACE_MODEL_KEYS: of whom model artifacts are taken; of none: of anybody. */
  readonly trustedKeys: TrustedKeys
  /** Throws MillraceError `mirror-off` where the catalogue has none. */
  readonly openMirror: () => Promise<MirrorPorts>
  readonly close: () => void
}

export interface Forgetting {
  readonly userRemover: UserRemover
  readonly archiveEnder: ObjectEnder
  readonly catalogEnder: ObjectEnder
  /** Whose commits move the mirror. */
  readonly catalogStores: { readonly store: CatalogStore; readonly objects: ObjectStore }
  /** For how long the stream keeps a record, ms. */
  readonly retentionMs: () => Promise<number>
}

export interface ConnectOptions {
  readonly pipeline: string
  readonly stage: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Told of each commit whose mirror was not moved; a warning of the process unless given. */
  readonly onMirrorError?: (error: unknown) => void
}

/** Throws MillraceError where the account is not known; nothing is called yet. */
export function connect({ pipeline, stage, env, onMirrorError = warn }: ConnectOptions): Connection {
  const names = resourceNames({ pipeline, stage, accountId: accountId(env) })
  const clients = awsClients(env)
  const world = { clock: systemClock, random: systemRandom, sleep: systemSleep }
  const archive = archiveStore(clients.s3, names.archiveBucket, world)
  const mirror = connectMirror(env, onMirrorError)
  return {
    names,
    ...deployedStores(clients, names, world, { observe: mirror.observe }),
    openMirror: () => mirror.ports(mirroredStores(clients, names, world)),
    archive,
    spills: deployedSpills(archive),
    remover: bucketRemover(clients.s3, names.archiveBucket),
    catalogStores: {
      ...mirroredStores(clients, names, world),
      remover: bucketRemover(clients.s3, names.catalogBucket),
    },
    forgetting: forgetting(clients, names, { mirror, world }),
    takeLease: deployedLeases(clients, names, world),
    events: kinesisEventStreamWriter(clients.kinesis, names.eventsStream),
    tip: kinesisStreamTip({ client: clients.kinesis, streamName: names.eventsStream, ...world }),
    ...world,
    trustedKeys: readTrustedKeys(env['MILLRACE_MODEL_KEYS'] ?? ''),
    close: () => {
      mirror.close()
      clients.destroy()
    },
  }
}

interface Around {
  readonly mirror: ReturnType<typeof connectMirror>
  readonly world: World
}

function forgetting(clients: AwsClients, names: ResourceNames, { mirror, world }: Around): Forgetting {
  const stores = mirroredStores(clients, names, world)
  return {
    userRemover: dynamodbUserRemover({ client: clients.dynamodb, table: names.usersTable }),
    archiveEnder: s3ObjectEnder({ client: clients.s3, bucket: names.archiveBucket }),
    catalogEnder: s3ObjectEnder({ client: clients.s3, bucket: names.catalogBucket }),
    catalogStores: { store: mirror.observe?.(stores, { clock: world.clock }) ?? stores.store, objects: stores.objects },
    retentionMs: () => kinesisRetentionMs(clients.kinesis, names.eventsStream),
  }
}

function warn(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error)
  process.emitWarning(`The commit is done; its mirror was not moved: ${text}`, 'MirrorWarning')
}

function accountId(env: ConnectOptions['env']): string {
  if (localEndpoint(env) !== undefined) return LOCAL_ACCOUNT_ID
  const account = env['AWS_ACCOUNT_ID']
  if (account !== undefined && /^\d{12}$/.test(account)) return account
  throw new MillraceError('Which AWS account the pipeline is deployed in is not known', {
    code: 'account-unknown',
    next: 'Set AWS_ACCOUNT_ID to its 12 digits, or AWS_ENDPOINT_URL for the local cloud that `millrace local` starts.',
  })
}
