// An event contract: how to read one of upstream's events. It is data over upstream's own JSON (paths), so upstream changes
// nothing for us; what it does not name is ignored by the fold and kept by the archive.
import { type Duration, parseDurationMs } from '../platform/duration.ts'
import { check, checkField, checkPath, checkRenamed, checkVersions } from './check-contract.ts'
import type { Field } from './field.ts'
import type { UpgradeStep } from './upgrade-steps.ts'

/** How event time is written upstream: RFC 3339 with an offset, or a number with its unit. */
export type TimeSource = string | { readonly path: string; readonly unit: 's' | 'ms' }

/** Which version of upstream's JSON an event is. */
export interface VersionSource {
  /** Of an integer, or of its decimal text. */
  readonly path: string
  /** The version that this contract describes; one that is neither this nor upgraded is refused. */
  readonly current: number
  /** The version of an event that names none; refused without it. */
  readonly absent?: number
}

/** By the version that it starts from: how an event of it becomes the next one that is listed, or the current one. */
export type Upgrades = Readonly<Record<number, readonly UpgradeStep[]>>

export interface EventOptions<Fields extends Readonly<Record<string, Field>>> {
  /** Path of the id that upstream's retries keep: text, or an integer. */
  readonly id: string
  /** Path of the user's id: text, or an integer up to 2^53. */
  readonly user: string
  readonly time: TimeSource
  /** How late an event may arrive after its time and still be folded. Required: nobody guesses it for you. */
  readonly lateness: Duration
  readonly fields: Fields
  /** Older paths of fields, tried in order where a field's own path has no value. */
  readonly renamed?: { readonly [Name in keyof NoInfer<Fields>]?: readonly string[] }
  readonly version?: VersionSource
  readonly upgrade?: Upgrades
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
  readonly renamed: Readonly<Record<string, readonly string[] | undefined>> | undefined
  readonly version: VersionSource | undefined
  readonly upgrade: Upgrades | undefined
  readonly owner: string | undefined
  readonly about: string | undefined
}

/** Letters, digits, '.', '_' and '-': a type is part of fingerprints, object names and metrics. */
const TYPE_PATTERN = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/
export const FIELDS_MAX = 100

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
  if (options.renamed !== undefined) checkRenamed(type, options.fields, options.renamed)
  checkVersions(type, options.version, options.upgrade)
  return {
    kind: 'event',
    type,
    id: options.id,
    user: options.user,
    time: options.time,
    latenessMs: parseDurationMs(options.lateness),
    fields: options.fields,
    renamed: options.renamed,
    version: options.version,
    upgrade: options.upgrade,
    owner: options.owner,
    about: options.about,
  }
}

/** In the order in which they are tried. Own members only: a field may be called toString. */
export function olderPathsOf({ renamed = {} }: EventContract, field: string): readonly string[] {
  return Object.hasOwn(renamed, field) ? (renamed[field] ?? []) : []
}
