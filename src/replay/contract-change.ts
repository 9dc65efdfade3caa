// The same events under the contracts that are deployed and under those that are about to be: what would be refused that was not, by
// reason and field, and how much would no longer be. It keeps counts and places, and nothing of a payload.
import { ContractCheck, type RefusedReason } from '../event/check-events.ts'
import { compileContracts, type Contracts } from '../event/compile-contracts.ts'
import { decodePayload, decodeRecord, isRefusal } from '../event/decode.ts'
import type { DecodedEvent, Refusal } from '../event/decoded-event.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import type { Definitions } from '../predictions/definitions.ts'
import { contractOf } from '../predictions/definitions-contracts.ts'

export interface ContractChange {
  readonly events: number
  readonly refusedBefore: number
  readonly refusedNow: number
  /** Taken before, refused now. */
  readonly newlyRefused: number
  /** Refused before, taken now: a rebuild of their users brings them in. */
  readonly newlyTaken: number
  /** Of those newly refused, most frequent first. */
  readonly reasons: readonly RefusedReason[]
}

/** The contracts that recorded definitions had. Throws DefinitionError. */
export function contractsOf({ events, typePath }: Pick<Definitions, 'events' | 'typePath'>): Contracts {
  return compileContracts(events.map(contractOf), { typePath })
}

export class ContractComparison {
  readonly #before: Contracts | undefined
  readonly #now: Contracts
  readonly #newlyRefused = new ContractCheck()
  #counts = { events: 0, refusedBefore: 0, refusedNow: 0, newlyTaken: 0 }

  /** `before`: undefined where nothing is deployed, and everything counts as taken. */
  constructor(before: Contracts | undefined, now: Contracts) {
    this.#before = before
    this.#now = now
  }

  addRecord(record: StreamRecord): void {
    this.#add(contracts => decodeRecord(record, contracts), this.#counts.events + 1)
  }

  /** `position`: what the summary shall call it by, such as its line. */
  addPayload(payload: Uint8Array, position: number): void {
    this.#add(contracts => decodePayload(payload, contracts), position)
  }

  summary(): ContractChange {
    const { events: newlyRefused, reasons } = this.#newlyRefused.summary()
    return { ...this.#counts, newlyRefused, reasons }
  }

  #add(decode: (contracts: Contracts) => DecodedEvent | Refusal, position: number): void {
    const now = decode(this.#now)
    const wasRefused = this.#before !== undefined && isRefusal(decode(this.#before))
    const counts = this.#counts
    counts.events++
    if (wasRefused) counts.refusedBefore++
    if (isRefusal(now)) {
      counts.refusedNow++
      if (!wasRefused) this.#newlyRefused.add(now, position)
    } else if (wasRefused) counts.newlyTaken++
  }
}
