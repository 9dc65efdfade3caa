// A snapshot function on stores in memory, as many invocations of it as somebody wakes, any of which may die at any call, come twice or
// not at all.
import { catalog } from '../../src/catalog/catalog.ts'
import { loadRows } from '../../src/catalog/table-rows.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { type Random, seededRandom } from '../../src/platform/random.ts'
import type { CompiledPipeline } from '../../src/predictions/compile-pipeline.ts'
import { type SnapshotEvent, type WorkEvent } from '../../src/snapshot/snapshot-events.ts'
import {
  type FunctionDependencies,
  type FunctionOutcome,
  runSnapshotEvent,
} from '../../src/snapshot/snapshot-function.ts'
import { snapshotRuns } from '../../src/snapshot/snapshot-runs.ts'
import type { UserStore } from '../../src/store/user-item.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore, type ObjectStoreCall } from '../fakes/memory-object-store.ts'
import { START } from '../features/factories.ts'
import { countingPredictor, type Harness, harness, orderRecord, smallShop } from '../recompute/harness.ts'

export const INSTANT = START + 40 * DAY_MS
export const REF = { db: 'shop', table: 'users', partition: 'day=2024-04-05' }

export interface RunWorld extends Harness {
  readonly deps: FunctionDependencies
  /** Woken and not run yet. */
  readonly woken: WorkEvent[]
  readonly objects: ReturnType<typeof memoryObjectStore>
  nowMs: number
  /** Asked before and after each call of every store; throws to kill who calls. */
  dies: (call: { readonly operation: string; readonly key: string; readonly when: string }) => boolean
  /** How often an invocation asks before its time is up. */
  patience: number
  invoke(event: SnapshotEvent, changes?: Partial<FunctionDependencies>): Promise<FunctionOutcome>
  /** The users of the current batch, sorted; undefined: there is none. */
  current(): Promise<string[] | undefined>
}

export class Killed extends Error {}

export interface WorldOptions {
  readonly users?: number
  readonly segments?: number
  readonly pageItemsMax?: number
  readonly random?: Random
  readonly compiled?: CompiledPipeline
}

export async function runWorld(options: WorldOptions = {}): Promise<RunWorld> {
  const {
    users: userCount = 24,
    segments = 3,
    pageItemsMax = 3,
    random = seededRandom(7),
    compiled = smallShop,
  } = options
  const run = harness({ compiled })
  const names = userNames(userCount)
  await run.deliver(names.map((user, index) => orderRecord(index, index + 1, { user })))
  const fault = (call: ObjectStoreCall): void => {
    if (world.dies(call)) throw new Killed(`${call.operation} ${call.key}`)
  }
  const objects = memoryObjectStore({ fault, clock: () => world.nowMs })
  const clock = (): number => world.nowMs
  const store = memoryCatalogStore(call => {
    if (world.dies({ ...call, operation: `catalog ${call.operation}` }))
      throw new Killed(`${call.operation} ${call.key}`)
  })
  const predictor = countingPredictor([])
  const deps: FunctionDependencies = {
    compiled,
    users: smallPages(run.users, pageItemsMax),
    catalog: catalog({ store, objects, clock, random, sleep: async () => undefined }),
    runs: snapshotRuns(objects),
    clock,
    random,
    sleep: async () => undefined,
    segments,
    pinned: () => predictor.pinned(),
    pinnedTo: () => predictor.pinned(),
    wake: async event => {
      await Promise.resolve()
      if (world.dies({ operation: 'wake', key: String(event.segment), when: 'before' })) throw new Killed('wake')
      world.woken.push(event)
    },
    isTimeUp: () => false,
    bounds: { rowsMax: 4 },
  }
  const world: RunWorld = Object.assign(run, {
    deps,
    woken: [] as WorkEvent[],
    objects,
    nowMs: INSTANT,
    dies: () => false,
    patience: Number.POSITIVE_INFINITY,
    invoke: async (event: SnapshotEvent, changes: Partial<FunctionDependencies> = {}) => {
      let asked = 0
      return runSnapshotEvent({ ...deps, isTimeUp: () => ++asked > world.patience, ...changes }, event)
    },
    current: async () => {
      if ((await deps.catalog.current(REF)) === undefined) return undefined
      const found: string[] = []
      for await (const row of loadRows(deps.catalog, REF)) found.push(row['user_id'] as string)
      return found.sort()
    },
  })
  return world
}

export function userNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user-${String(index).padStart(4, '0')}`)
}

function smallPages(users: UserStore, itemsMax: number): UserStore {
  return {
    ...users,
    async *scan(...asked) {
      for await (const page of users.scan(...asked)) {
        for (let from = 0; from < page.length; from += itemsMax) yield page.slice(from, from + itemsMax)
      }
    },
  }
}
