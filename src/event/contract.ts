// An event contract: how to read one of upstream's events. It is data over upstream's own JSON (paths), so upstream changes
// nothing for us; what it does not name is ignored by the fold and kept by the archive.
import { type Duration, parseDurationMs } from '../platform/duration.ts'
import { DefinitionError } from './errors.ts'
import type { Field } from './field.ts'

/** How event time is written upstream: RFC 3339 with an offset, or a number with its unit. */
export type TimeSource = string | { readonly path: string; readonly unit: 's' | 'ms' }

export interface EventOptions<Fields extends Readonly<Record<string, Field>>> {
  /** Path of the id that upstream's retries keep: text, or an integer. */
  readonly id: string
  /** Path of the user's id: text, or an integer up to 2^53. */
  readonly user: string
  readonly time: TimeSource
  /** How late an event may arrive after its time and still be folded. Required: nobody guesses it for you. */
  readonly lateness: Duration
  readonly fields: Fields
  readonly owner?: string
  readonly about?: string
}

export interface EventContract<
  Type extends string = string,
  Fields extends Readonly<Record<string, Field>> = Readonly<Record<string, Field>>,
> {
  readonly kind: 'event'
  readonly type: Type
  readonly id: string
  readonly user: string
  readonly time: TimeSource
  readonly latenessMs: number
  readonly fields: Fields
  readonly owner: string | undefined
  readonly about: string | undefined
}

/** Letters, digits, '.', '_' and '-': a type is part of fingerprints, object names and metrics. */
const TYPE_PATTERN = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/
const NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/
const PATH_PATTERN = /^[^.\s]{1,128}(\.[^.\s]{1,128}){0,7}$/
/** Exact sums hold integers at the scale; 10^9 leaves whole numbers up to 9 million within 2^53. */
const SCALE_MAX = 9
export const FIELDS_MAX = 100
const FORBIDDEN_SEGMENTS = new Set(['__proto__', 'constructor', 'prototype'])

/** Defines an event type. Throws DefinitionError. */
export function event<const Type extends string, const Fields extends Readonly<Record<string, Field>>>(
  type: Type,
  options: EventOptions<Fields>,
): EventContract<Type, Fields> {
  check(TYPE_PATTERN.test(type), `The event type "${type}" is not a name`, "Use letters, digits, '.', '_' and '-'.")
  checkPath(type, 'id', options.id)
  checkPath(type, 'user', options.user)
  checkPath(type, 'time', typeof options.time === 'string' ? options.time : options.time.path)
  const names = Object.keys(options.fields)
  check(names.length <= FIELDS_MAX, `${type} has ${names.length} fields`, `Keep to ${FIELDS_MAX}.`)
  for (const [name, field] of Object.entries(options.fields)) checkField(type, name, field)
  return {
    kind: 'event',
    type,
    id: options.id,
    user: options.user,
    time: options.time,
    latenessMs: parseDurationMs(options.lateness),
    fields: options.fields,
    owner: options.owner,
    about: options.about,
  }
}

function checkField(type: string, name: string, field: Field): void {
  const where = `${type}.${name}`
  check(NAME_PATTERN.test(name), `"${where}" is not a field name`, 'Use letters, digits and _.')
  checkPath(type, name, field.path ?? name)
  check(
    !(field.optional && field.default !== undefined),
    `${where} is optional and has a default`,
    'Keep one: with a default it is never absent.',
  )
  if (field.kind === 'number') {
    const isScale = field.scale === undefined || (Number.isInteger(field.scale) && field.scale >= 0)
    check(isScale && (field.scale ?? 0) <= SCALE_MAX, `${where} has the scale ${field.scale}`, `Use 0 to ${SCALE_MAX}.`)
  }
  if (field.kind === 'choice') {
    const isSet = field.values.length > 0 && new Set(field.values).size === field.values.length
    check(isSet, `${where} offers no choice, or one twice`, 'List each word once.')
    const isKnown = field.default === undefined || field.values.includes(field.default)
    check(isKnown, `${where} has a default that is not one of its words`, 'Use one of the words, or leave it out.')
  }
}

function checkPath(type: string, what: string, path: string): void {
  check(
    isDottedPath(path),
    `The path "${path}" of ${type} (${what}) is not a dotted path`,
    "Write it as 'customer.id'.",
  )
}

/** Whether a path can be read from upstream's JSON: at most 8 segments, none of which means something to JavaScript. */
export function isDottedPath(path: string): boolean {
  return PATH_PATTERN.test(path) && !path.split('.').some(segment => FORBIDDEN_SEGMENTS.has(segment))
}

function check(isRight: boolean, message: string, next: string): void {
  if (!isRight) throw new DefinitionError(message, next)
}
