// A record's bytes to an event, or to the reason why not. It never throws: one bad record must not stop the records beside it,
// and what it refuses is kept whole as a dead letter, so a detail names places and rules and never a value.
import { eventIdHash } from '../platform/hash.ts'
import { decodeBase64 } from './base64.ts'
import type { CompiledContract, Contracts, NamedMember, Path } from './compile-contracts.ts'
import type { DecodedEvent, FieldValue, Refusal, RefusalReason } from './decoded-event.ts'
import { readEventId, readUserId } from './identity.ts'
import { EVENT_BYTES_MAX } from './limits.ts'
import { isProblem, type Problem } from './problem.ts'
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
  const parsed = parseStrictJson(bytes)
  if ('reason' in parsed) return parsed
  const type = valueAt(parsed.value, contracts.typePath)
  const contract = typeof type === 'string' ? contracts.byType.get(type) : undefined
  return contract === undefined ? unknownType(type, contracts) : applyContract(parsed, contract)
}

export function isRefusal(decoded: DecodedEvent | Refusal): decoded is Refusal {
  return 'reason' in decoded
}

function applyContract({ value: payload, members }: StrictJson, contract: CompiledContract): DecodedEvent | Refusal {
  const id = readEventId(valueAt(payload, contract.idPath))
  if (isProblem(id)) return refuse('contract', contract, 'the id', contract.idPath, id)
  const userId = readUserId(valueAt(payload, contract.userPath))
  if (isProblem(userId)) return refuse('user-id-invalid', contract, 'the user id', contract.userPath, userId)
  const ts = contract.readTime(valueAt(payload, contract.timePath))
  if (isProblem(ts)) return refuse('time-invalid', contract, 'the time', contract.timePath, ts)
  const fields = new Map<string, FieldValue>()
  for (const field of contract.fields) {
    const value = field.read(valueAt(payload, field.path))
    if (isProblem(value)) return refuse('contract', contract, `the field ${field.name}`, field.path, value)
    fields.set(field.name, value)
  }
  return {
    type: contract.type,
    id,
    idHash: eventIdHash(contract.type, id),
    userId,
    ts,
    fields,
    unknownFields: members - countNamed(payload, contract.named),
  }
}

/** The value at the path, undefined where there is none. What an object inherits is functions, which no JSON value is. */
function valueAt(payload: unknown, path: Path): unknown {
  let value = payload
  for (const segment of path) {
    if (!isContainer(value)) return undefined
    value = value[segment]
  }
  return typeof value === 'function' ? undefined : value
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
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

function refuse(
  reason: RefusalReason,
  contract: CompiledContract,
  what: string,
  path: Path,
  { problem }: Problem,
): Refusal {
  return { reason, detail: `${contract.type}: ${what} at "${path.join('.')}" ${problem}.` }
}
