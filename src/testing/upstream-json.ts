// An event as upstream would send it, from plain field values: written along the very paths that its contract reads, so that a test
// of features needs no JSON and the contract is tried all the same.
import type { EventContract } from '../event/contract.ts'
import type { ValueOf } from '../event/field.ts'
import { type Container, splitPath, withValue } from '../event/payload-path.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { SECOND_MS } from '../platform/duration.ts'
import { TestingError } from './errors.ts'

/** By the contract's names, as upstream would write them; a field that is left out is absent upstream. */
export type FieldValues<E extends EventContract> = {
  readonly [Name in keyof E['fields']]?: ValueOf<E['fields'][Name]> | null
}

export interface Envelope {
  /** Path of an event's type. */
  readonly typePath: string
  readonly id: string
  readonly userId: string
  readonly ts: number
}

/** Throws TestingError. */
export function upstreamJson(
  contract: EventContract,
  values: Readonly<Record<string, unknown>>,
  { typePath, id, userId, ts }: Envelope,
): Container {
  const members: [path: string, value: unknown][] = [
    [typePath, contract.type],
    [contract.id, id],
    [contract.user, userId],
    timeMember(contract, ts),
  ]
  if (contract.version !== undefined) members.push([contract.version.path, contract.version.current])
  // Last: a field may read what is the id or the user too, and then the test says what it is.
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) members.push([pathOf(contract, name), value])
  }
  return members.reduce<Container>((payload, [path, value]) => put(contract, payload, path, value), {})
}

function timeMember({ time }: EventContract, ts: number): [path: string, value: unknown] {
  if (typeof time === 'string') return [time, toRfc3339(ts)]
  return [time.path, time.unit === 's' ? ts / SECOND_MS : ts]
}

function pathOf({ type, fields }: EventContract, name: string): string {
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (field !== undefined) return field.path ?? name
  throw new TestingError(`${type} has no field "${name}"`, {
    code: 'field-unknown',
    next: `Its fields: ${Object.keys(fields).join(', ')}. What else upstream sends, give as its own JSON.`,
  })
}

function put({ type }: EventContract, payload: Container, path: string, value: unknown): Container {
  const changed = withValue(payload, splitPath(path), value)
  if (changed !== undefined) return changed
  throw new TestingError(`${type}: "${path}" lies below a value that is no object`, {
    code: 'path-blocked',
    next: "Give the event as upstream's own JSON.",
  })
}
