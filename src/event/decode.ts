// A record's bytes to an event, or to the reason why not. It never throws: one bad record must not stop the records beside it,
// and what it refuses is kept whole as a dead letter, so a detail names places and rules and never a value.
import { eventIdHash } from '../platform/hash.ts'
import { decodeBase64 } from './base64.ts'
import type { CompiledContract, CompiledField, Contracts, NamedMember } from './compile-contracts.ts'
import type { DecodedEvent, FieldValue, Refusal } from './decoded-event.ts'
import { readEventId, readUserId } from './identity.ts'
import { inflatePayload } from './inflate.ts'
import { EVENT_BYTES_MAX } from './limits.ts'
import { isContainer, type Path, valueAt } from './payload-path.ts'
import { isProblem, type Problem } from './problem.ts'
import { refuse } from './refuse.ts'
import type { StreamRecord } from './stream-record.ts'
import { parseStrictJson, type StrictJson, TOO_BIG } from './strict-json.ts'

const NOT_BASE64: Refusal = {
  reason: 'not-base64',
  detail: 'The data of the record is not base64 as RFC 4648 writes it.',
}
/** Four characters for every three bytes begun. */
const BASE64_LENGTH_MAX = Math.ceil(EVENT_BYTES_MAX / 3) * 4

export function decodeRecord(record: StreamRecord, contracts: Contracts): DecodedEvent | Refusal {
  if (record.dataBase64.length > BASE64_LENGTH_MAX) return TOO_BIG
  const bytes = decodeBase64(record.dataBase64)
  return bytes === undefined ? NOT_BASE64 : decodePayload(bytes, contracts)
}

/** The same for bytes that are not in a stream yet: what a producer is about to send. */
export function decodePayload(bytes: Uint8Array, contracts: Contracts): DecodedEvent | Refusal {
  if (bytes.length > EVENT_BYTES_MAX) return TOO_BIG
  const inflated = inflatePayload(bytes)
  if ('reason' in inflated) return inflated
  const parsed = parseStrictJson(inflated)
  if ('reason' in parsed) return parsed
  const type = valueAt(parsed.value, contracts.typePath)
  const contract = typeof type === 'string' ? contracts.byType.get(type) : undefined
  return contract === undefined ? unknownType(type, contracts) : applyContract(parsed, contract)
}

export function isRefusal(decoded: DecodedEvent | Refusal): decoded is Refusal {
  return 'reason' in decoded
}

function applyContract({ value, members }: StrictJson, contract: CompiledContract): DecodedEvent | Refusal {
  const unknownFields = members - countNamed(value, contract.named)
  if (contract.upgrade === undefined) return readEvent(value, contract, unknownFields)
  const upgraded = contract.upgrade(value)
  return 'refusal' in upgraded ? upgraded.refusal : readEvent(upgraded.payload, contract, unknownFields)
}

function readEvent(payload: unknown, contract: CompiledContract, unknownFields: number): DecodedEvent | Refusal {
  const { type } = contract
  const id = readEventId(valueAt(payload, contract.idPath))
  if (isProblem(id)) return refuse('contract', { type, what: 'the id', path: contract.idPath }, id)
  const userId = readUserId(valueAt(payload, contract.userPath))
  if (isProblem(userId)) {
    return refuse('user-id-invalid', { type, what: 'the user id', path: contract.userPath }, userId)
  }
  const ts = contract.readTime(valueAt(payload, contract.timePath))
  if (isProblem(ts)) return refuse('time-invalid', { type, what: 'the time', path: contract.timePath }, ts)
  const fields = new Map<string, FieldValue>()
  for (const field of contract.fields) {
    const path = field.olderPaths.length === 0 ? field.path : pathOf(payload, field)
    const value = field.read(valueAt(payload, path))
    if (isProblem(value)) return refuseField(type, field.name, path, value)
    fields.set(field.name, value)
  }
  return { type, id, idHash: eventIdHash(type, id), userId, ts, fields, unknownFields }
}

/** Where the field's value is: its own path unless only an older one has a value. */
function pathOf(payload: unknown, { path, olderPaths }: CompiledField): Path {
  if (valueAt(payload, path) !== undefined) return path
  return olderPaths.find(older => valueAt(payload, older) !== undefined) ?? path
}

function refuseField(type: string, field: string, path: Path, problem: Problem): Refusal {
  return refuse('contract', { type, what: `the field ${field}`, path, field }, problem)
}

function countNamed(container: unknown, named: readonly NamedMember[]): number {
  if (!isContainer(container)) return 0
  let present = 0
  for (const { key, below } of named) {
    if (Object.hasOwn(container, key)) present += below.length === 0 ? 1 : 1 + countNamed(container[key], below)
  }
  return present
}

function unknownType(type: unknown, contracts: Contracts): Refusal {
  const what = typeof type === 'string' ? `is none of the ${contracts.byType.size} known ones` : 'is not text'
  return { reason: 'unknown-type', detail: `The event type at "${contracts.typePath.join('.')}" ${what}.` }
}
