// That one of many does something: whoever holds the lease. It is a log of items like all of the catalogue, of which the highest counts,
// and each is created once: taking it, keeping it and giving it back is the creation of the next number, so that of two who want it one
// gets it, and whoever lost it while he slept finds his number taken.
import * as z from 'zod/mini'
import type { Clock } from '../platform/clock.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { MINUTE_MS } from '../platform/duration.ts'
import type { Random } from '../platform/random.ts'
import { newBatchId } from './batch-id.ts'
import type { CatalogStore } from './catalog-store.ts'
import { CatalogError } from './errors.ts'
import { tableKey, type TableRef } from './names.ts'

/** Of a holder that died, the next one waits so long. */
export const LEASE_MS = 15 * MINUTE_MS
/** So long before its end it is renewed or not relied on any more: clocks differ by less, and a call in flight ends within it. */
export const LEASE_RESERVE_MS = 5 * MINUTE_MS

export interface LeasePorts {
  readonly store: CatalogStore
  readonly clock: Clock
  readonly random: Random
}

export interface LeaseInput {
  readonly who: string
  /** What the holder does, for whoever is refused: `users sweep-spills`. */
  readonly what: string
}

export interface Lease {
  /** To be asked before each thing that only the holder may do; nearly always no call. Throws CatalogError `lease-lost`. */
  keep(): Promise<void>
  /** The next one need not wait then. Of a lease that was lost, nothing. */
  release(): Promise<void>
}

/** Of the table by name. Throws CatalogError `lease-held`, with who has it and until when. */
export type TakeLease = (ref: TableRef, name: string, input: LeaseInput) => Promise<Lease>

export function leases(ports: LeasePorts): TakeLease {
  return async (ref, name, input) => {
    const table = tableKey(ref)
    const holder = newBatchId(ports.clock(), ports.random)
    const newest = await newestEntry(ports.store, table, name)
    if (newest !== undefined && newest.until > ports.clock()) throw held(table, newest)
    const lease = new HeldLease(ports, { table, name, holder, number: newest?.number ?? 0, ...input })
    await lease.take()
    return lease
  }
}

/** Given back however it ends; where that fails it ends by itself, and what was done or went wrong is what is told. */
export async function whileHeld<T>(lease: Lease, action: (keep: Lease['keep']) => Promise<T>): Promise<T> {
  try {
    return await action(() => lease.keep())
  } finally {
    await lease.release().catch(() => undefined)
  }
}

interface LeaseState extends LeaseInput {
  readonly table: string
  readonly name: string
  readonly holder: string
  /** Of the item that counts. */
  readonly number: number
}

class HeldLease implements Lease {
  readonly #ports: LeasePorts
  #state: LeaseState
  #until = 0
  #renewal: Promise<void> | undefined

  constructor(ports: LeasePorts, state: LeaseState) {
    this.#ports = ports
    this.#state = state
  }

  async take(): Promise<void> {
    const taker = await this.#next(LEASE_MS)
    if (taker !== undefined) throw held(this.#state.table, taker)
  }

  async keep(): Promise<void> {
    if (this.#ports.clock() < this.#until - LEASE_RESERVE_MS) return
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined
    })
    await this.#renewal
  }

  async release(): Promise<void> {
    await this.#next(0)
  }

  /** Right after its end too: as long as nobody has created the next number, nobody else has had it. */
  async #renew(): Promise<void> {
    const taker = await this.#next(LEASE_MS)
    if (taker !== undefined) throw lost(this.#state, taker)
  }

  /** Creates the next item; whoever has created it, where that was somebody else. */
  async #next(ms: number): Promise<LeaseEntry | undefined> {
    const { store, clock } = this.#ports
    const { table, name, holder, who, what } = this.#state
    const number = this.#state.number + 1
    const at = clock()
    const attributes = { holder, who, what, at, until: at + ms }
    if ((await store.create({ table, sk: sortKey(name, number), attributes })) === 'exists') {
      // Perhaps by this very call: its answer may have been lost and the client has repeated it.
      const taker = await newestEntry(store, table, name)
      if (taker === undefined || taker.holder !== holder || taker.number !== number)
        return taker ?? unknownTaker(number)
    }
    this.#state = { ...this.#state, number }
    this.#until = at + ms
    return undefined
  }
}

const leaseEntry = z.object({
  holder: z.string(),
  who: z.string(),
  what: z.string(),
  at: z.number(),
  until: z.number(),
})

type LeaseEntry = z.infer<typeof leaseEntry> & { readonly number: number }

async function newestEntry(store: CatalogStore, table: string, name: string): Promise<LeaseEntry | undefined> {
  for await (const { sk, attributes } of store.list(table, prefixOf(name), { isNewestFirst: true, limit: 1 })) {
    const parsed = leaseEntry.safeParse(attributes)
    const number = Number(sk.slice(prefixOf(name).length))
    return parsed.success ? { ...parsed.data, number } : unknownTaker(number)
  }
  return undefined
}

/** Of a later release that writes other attributes: nobody knows how long, so that it is not taken from it. */
function unknownTaker(number: number): LeaseEntry {
  return { holder: '', who: 'somebody', what: 'something', at: 0, until: Number.MAX_SAFE_INTEGER, number }
}

const NUMBER_DIGITS = 9

function prefixOf(name: string): string {
  return `lease#${name}#`
}

/** Nine digits, as those of the log. */
function sortKey(name: string, number: number): string {
  return `${prefixOf(name)}${String(number).padStart(NUMBER_DIGITS, '0')}`
}

function held(table: string, { who, what, at, until }: LeaseEntry): CatalogError {
  const end = until === Number.MAX_SAFE_INTEGER ? 'no known time' : toRfc3339(until)
  return new CatalogError(`${who} is at it: ${what}, since ${toRfc3339(at)}`, {
    code: 'lease-held',
    retriable: true,
    next: `Wait for its end; should it have died, nobody has to do anything but wait until ${end}.`,
    table,
  })
}

function lost({ table, what }: LeaseState, { who }: LeaseEntry): CatalogError {
  return new CatalogError(`${what} stopped: it stood still for so long that ${who} has begun the same`, {
    code: 'lease-lost',
    next: 'Let the other one end, and run this again for what may be left.',
    table,
  })
}
