// One event as upstream would send it, made from its contract: what a new pipeline is tried with before real events flow.
import type { EventContract } from '../event/contract.ts'
import type { Field } from '../event/field.ts'
import { SECOND_MS } from '../platform/duration.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { Json } from '../platform/canonical-json.ts'

export interface SampleOptions {
  /** Path of an event's type. */
  readonly typePath: string
  readonly id: string
  readonly userId: string
  readonly nowMs: number
}

/** Within most ranges that a number's name may suggest: an hour, a weekday, a count, an amount. */
const SAMPLE_NUMBER = 1

type Payload = { [key: string]: Json }

export function sampleEvent(contract: EventContract, { typePath, id, userId, nowMs }: SampleOptions): Payload {
  const payload: Payload = {}
  put(payload, typePath, contract.type)
  put(payload, contract.id, id)
  put(payload, contract.user, userId)
  const { time, version } = contract
  if (version !== undefined) put(payload, version.path, version.current)
  if (typeof time === 'string') put(payload, time, toRfc3339(nowMs))
  else put(payload, time.path, time.unit === 's' ? Math.floor(nowMs / SECOND_MS) : nowMs)
  for (const [name, field] of Object.entries(contract.fields)) {
    const path = field.path ?? name
    if (!has(payload, path)) put(payload, path, sampleValue(name, field))
  }
  return payload
}

function sampleValue(name: string, field: Field): Json {
  if (field.default !== undefined) return field.default
  if (field.kind === 'number') return SAMPLE_NUMBER
  if (field.kind === 'choice') return field.values[0] ?? null
  if (field.kind === 'flag') return true
  return name
}

/** A field may read the very value that is the id, the user or the time. */
function has(payload: Payload, path: string): boolean {
  let here: Json | undefined = payload
  for (const segment of path.split('.')) {
    if (!isPayload(here) || !Object.hasOwn(here, segment)) return false
    here = here[segment]
  }
  return true
}

function put(payload: Payload, path: string, value: Json): void {
  const segments = path.split('.')
  const last = segments.pop() ?? path
  let here = payload
  for (const segment of segments) {
    const there = here[segment]
    const next: Payload = isPayload(there) ? there : {}
    here[segment] = next
    here = next
  }
  here[last] = value
}

function isPayload(value: Json | undefined): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
