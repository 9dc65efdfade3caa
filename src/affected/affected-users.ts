// Whom a batch affects: its records decoded and grouped by user, each user's in the order of the stream. What cannot be
// applied is set aside with its reason, and the records beside it go on.
import { checkArrival } from '../event/arrival.ts'
import type { Contracts } from '../event/compile-contracts.ts'
import { decodeRecord, isRefusal } from '../event/decode.ts'
import type { DecodedEvent, Refusal } from '../event/decoded-event.ts'
import type { StreamRecord } from '../event/stream-record.ts'

export interface AffectedRecord {
  readonly record: StreamRecord
  readonly event: DecodedEvent
}

export interface RefusedRecord {
  readonly record: StreamRecord
  readonly refusal: Refusal
}

export interface AffectedUsers {
  readonly byUser: ReadonlyMap<string, readonly AffectedRecord[]>
  readonly refused: readonly RefusedRecord[]
  readonly unknownFields: number
}

export function affectedUsers(records: readonly StreamRecord[], contracts: Contracts): AffectedUsers {
  const byUser = new Map<string, AffectedRecord[]>()
  const refused: RefusedRecord[] = []
  let unknownFields = 0
  for (const record of records) {
    const event = decodeRecord(record, contracts)
    if (isRefusal(event)) {
      refused.push({ record, refusal: event })
      continue
    }
    const refusal = checkArrival(event, record)
    if (refusal !== undefined) {
      refused.push({ record, refusal: { ...refusal, type: event.type } })
      continue
    }
    unknownFields += event.unknownFields
    const own = byUser.get(event.userId)
    if (own === undefined) byUser.set(event.userId, [{ record, event }])
    else own.push({ record, event })
  }
  return { byUser, refused, unknownFields }
}
