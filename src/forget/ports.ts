// What forgetting a user works with.
import type { Catalog } from '../catalog/catalog.ts'
import type { CatalogStore } from '../catalog/catalog-store.ts'
import type { Clock, Sleep } from '../platform/clock.ts'
import type { ObjectEnder, ObjectStore } from '../platform/object-store.ts'
import type { Random } from '../platform/random.ts'
import type { SpillStore } from '../store/spill-store.ts'
import type { UserRemover } from '../store/user-remover.ts'
import type { UserStore } from '../store/user-item.ts'
import type { Tally } from './tally.ts'
import type { UserInNames } from './user-in-names.ts'
import type { Whose } from './whose.ts'

export interface ForgetPorts {
  readonly users: UserStore
  readonly userRemover: UserRemover
  readonly spills: Pick<SpillStore, 'key'>
  readonly archive: ObjectStore
  readonly archiveEnder: ObjectEnder
  readonly catalog: Catalog
  readonly catalogStores: {
    readonly store: CatalogStore
    readonly objects: ObjectStore
  }
  readonly catalogEnder: ObjectEnder
  readonly clock: Clock
  readonly random: Random
  readonly sleep: Sleep
  /** Asked before each removal; throws where somebody else may have begun the same. */
  readonly stillAlone: () => Promise<void>
}

/** One look at everything. */
export interface Pass {
  readonly ports: ForgetPorts
  readonly whose: Whose
  readonly names: UserInNames
  /** Name of the pipeline: the database of its history. */
  readonly pipeline: string
  /** What arrived until then is forgotten, ms. */
  readonly untilMs: number
  /** The item was gone by then, ms: a batch of rows that was begun much later is of another life, if there is one. */
  readonly itemGoneMs: number
  /** Nothing is written or removed: what would be is counted. */
  readonly isDryRun: boolean
  readonly who: string
  readonly why: string
  /** Names this forgetting in the catalogue, without the user. */
  readonly hmac: string
  readonly tally: Tally
  readonly onProgress: (what: string) => void
}
