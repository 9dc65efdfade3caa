// The stores of a deployed pipeline on the real adapters: the same for functions, command line and demo.
import { randomBytes } from 'node:crypto'
import { catalog, type Catalog } from '../catalog/catalog.ts'
import type { CatalogStore } from '../catalog/catalog-store.ts'
import { dynamodbCatalogStore } from '../catalog/dynamodb-catalog-store.ts'
import { leases, type TakeLease } from '../catalog/lease.ts'
import type { Clock, Sleep } from '../platform/clock.ts'
import type { TimeLeft } from '../platform/deadline.ts'
import type { ObjectRemover, ObjectStore } from '../platform/object-store.ts'
import type { Random } from '../platform/random.ts'
import { s3ObjectRemover } from '../platform/s3-object-remover.ts'
import { s3ObjectStore } from '../platform/s3-object-store.ts'
import { dynamodbUserStore } from '../store/dynamodb-user-store.ts'
import { type SpillStore, spillStore } from '../store/spill-store.ts'
import type { UserStore } from '../store/user-item.ts'
import type { AwsClients } from './clients.ts'
import type { ResourceNames } from './resource-names.ts'

/** Time and randomness, as every adapter wants them. */
export interface World {
  readonly clock: Clock
  readonly random: Random
  readonly sleep: Sleep
}

/** Of every call, its retries included; for ever unless given, as for who waits at a command line. */
export interface CallLimits {
  readonly timeLeftMs?: TimeLeft | undefined
  /** Told of keys that DynamoDB left out of an answer. */
  readonly onUnprocessed?: ((keys: number) => void) | undefined
}

/** What a catalogue is made of. */
export interface MirroredStores {
  readonly store: CatalogStore
  readonly objects: ObjectStore
  readonly names: Pick<ResourceNames, 'catalogTable' | 'catalogBucket'>
}

/** The same store, with somebody told of each commit. Handed in, so that functions that commit nothing do not carry it. */
export type ObserveCommits = (
  stores: MirroredStores,
  calls: { readonly clock: Clock; readonly timeLeftMs?: TimeLeft | undefined },
) => CatalogStore

export interface Stores {
  readonly users: UserStore
  readonly catalog: Catalog
}

export function deployedStores(
  { dynamodb, s3 }: Pick<AwsClients, 'dynamodb' | 's3'>,
  names: Pick<ResourceNames, 'usersTable' | 'catalogTable' | 'catalogBucket'>,
  world: World,
  { timeLeftMs, onUnprocessed, observe }: CallLimits & { readonly observe?: ObserveCommits | undefined } = {},
): Stores {
  const mirrored = mirroredStores({ dynamodb, s3 }, names, world, { timeLeftMs })
  const observed = observe?.(mirrored, { clock: world.clock, timeLeftMs }) ?? mirrored.store
  return {
    users: dynamodbUserStore({ client: dynamodb, table: names.usersTable, ...world, timeLeftMs, onUnprocessed }),
    catalog: catalog({ ...mirrored, store: observed, ...world }),
  }
}

export function mirroredStores(
  { dynamodb, s3 }: Pick<AwsClients, 'dynamodb' | 's3'>,
  names: MirroredStores['names'],
  world: World,
  { timeLeftMs }: Pick<CallLimits, 'timeLeftMs'> = {},
): MirroredStores {
  return {
    store: dynamodbCatalogStore({ client: dynamodb, tableName: names.catalogTable, timeLeftMs }),
    objects: s3ObjectStore({ client: s3, bucket: names.catalogBucket, ...world, timeLeftMs }),
    names,
  }
}

/** For what only one may do at a time. */
export function deployedLeases(
  { dynamodb }: Pick<AwsClients, 'dynamodb'>,
  { catalogTable }: Pick<ResourceNames, 'catalogTable'>,
  world: Pick<World, 'clock' | 'random'>,
): TakeLease {
  return leases({ store: dynamodbCatalogStore({ client: dynamodb, tableName: catalogTable }), ...world })
}

export function archiveStore(
  s3: AwsClients['s3'],
  archiveBucket: string,
  world: World,
  { timeLeftMs }: Pick<CallLimits, 'timeLeftMs'> = {},
): ObjectStore {
  return s3ObjectStore({ client: s3, bucket: archiveBucket, ...world, timeLeftMs })
}

/** As many as SHA-256 has. */
const SPILL_KEY_BYTES = 32

/** Predictions too long for an item: beside the archive, in the bucket that recompute writes to anyway. */
export function deployedSpills(archive: ObjectStore): SpillStore {
  return spillStore({ objects: archive, newKey: () => randomBytes(SPILL_KEY_BYTES).toString('hex') })
}

/** The one thing that takes bytes away; no function has it. */
export function bucketRemover(s3: AwsClients['s3'], bucket: string): ObjectRemover {
  return s3ObjectRemover({ client: s3, bucket })
}
