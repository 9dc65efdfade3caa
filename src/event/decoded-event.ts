// An event after its contract has been applied: everything that the fold may look at, and nothing else.

/** Numbers with a `scale` are integers at that scale; flags are booleans; an absent optional field is null. */
export type FieldValue = number | string | boolean | null

export interface DecodedEvent {
  readonly type: string
  readonly id: string
  /** 16 hex digits, see `eventIdHash`. */
  readonly idHash: string
  readonly userId: string
  /** Event time, ms UTC. */
  readonly ts: number
  /** By field name of the contract. */
  readonly fields: ReadonlyMap<string, FieldValue>
  /** How many members of the payload the contract does not name; counted, kept by the archive, ignored by the fold. */
  readonly unknownFields: number
}

/** Why a record was refused. Stable: written into dead letters. */
export type RefusalReason =
  | 'not-base64'
  | 'too-big'
  | 'not-inflatable'
  | 'kpl-aggregated'
  | 'not-utf8'
  | 'not-json'
  | 'too-deep'
  | 'forbidden-key'
  | 'duplicate-key'
  | 'unknown-type'
  | 'unknown-version'
  | 'contract'
  | 'user-id-invalid'
  | 'time-invalid'
  | 'mis-keyed'
  | 'future'
  | 'late'
  | 'item-corrupt'
  | 'item-too-big'

export interface Refusal {
  readonly reason: RefusalReason
  /** What, where and what to do; names paths and types, never a value of the payload. */
  readonly detail: string
  /** The event's type, where a contract of ours refused it. */
  readonly type?: string
  /** The contract's name of the field that was refused. */
  readonly field?: string
}
