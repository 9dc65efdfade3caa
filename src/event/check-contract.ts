// What cannot be right in a contract, said when it is written and not when its events are refused.
import type { Upgrades, VersionSource } from './contract.ts'
import { DefinitionError } from './errors.ts'
import type { ChoiceField, Field } from './field.ts'
import { isDottedPath } from './payload-path.ts'
import { pathsOf } from './upgrade-steps.ts'

const NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/
/** Exact sums hold integers at the scale; 10^9 leaves whole numbers up to 9 million within 2^53. */
const SCALE_MAX = 9
/** Each is looked up where a field has no value, so an optional field pays for all of them at every event. */
const OLDER_PATHS_MAX = 8
/** Of all versions together: an event of the oldest goes through all of them. */
const STEPS_MAX = 200

export function checkField(type: string, name: string, field: Field): void {
  const where = `${type}.${name}`
  check(NAME_PATTERN.test(name), `"${where}" is not a field name`, 'Use letters, digits and _.')
  checkPath(type, name, field.path ?? name)
  check(
    !(field.optional && field.default !== undefined),
    `${where} is optional and has a default`,
    'Keep one: with a default it is never absent.',
  )
  check(
    !(field.optional && field.nullable),
    `${where} is optional and nullable`,
    'Keep one: what is optional may be null too.',
  )
  if (field.kind === 'number') {
    const isScale = field.scale === undefined || (Number.isInteger(field.scale) && field.scale >= 0)
    check(isScale && (field.scale ?? 0) <= SCALE_MAX, `${where} has the scale ${field.scale}`, `Use 0 to ${SCALE_MAX}.`)
  }
  if (field.kind === 'choice') checkChoice(where, field)
}

function checkChoice(where: string, { values, unknown, default: fallback }: ChoiceField): void {
  const isSet = values.length > 0 && new Set(values).size === values.length
  check(isSet, `${where} offers no choice, or one twice`, 'List each word once.')
  const isKnown = fallback === undefined || values.includes(fallback)
  check(isKnown, `${where} has a default that is not one of its words`, 'Use one of the words, or leave it out.')
  const tellsApart = unknown === undefined || values.length > 1
  check(tellsApart, `${where} has no word but the one for unknown words`, 'List the words that it knows.')
}

export function checkRenamed(
  type: string,
  fields: Readonly<Record<string, Field>>,
  renamed: Readonly<Record<string, readonly string[] | undefined>>,
): void {
  const pathOf = (name: string): string => fields[name]?.path ?? name
  const olderOf = (name: string): readonly string[] => new Map(Object.entries(renamed)).get(name) ?? []
  for (const [name, older = []] of Object.entries(renamed)) {
    const where = `renamed of ${type}.${name}`
    check(Object.hasOwn(fields, name), `${where}: no such field`, `Fields: ${Object.keys(fields).join(', ')}.`)
    for (const path of older) {
      checkPath(type, name, path)
      const isReached = !`${path}.`.startsWith(`${pathOf(name)}.`)
      check(isReached, `${where}: "${path}" is never reached, the field's own path has a value there`, 'Use upgrade.')
      const isRead = (other: string): boolean => pathOf(other) === path || olderOf(other).includes(path)
      const owner = Object.keys(fields).find(other => other !== name && isRead(other))
      check(owner === undefined, `${where}: "${path}" is read by ${owner}`, 'Tell the versions apart with upgrade.')
    }
    const isList = older.length > 0 && older.length <= OLDER_PATHS_MAX && new Set(older).size === older.length
    check(isList, `${where} has no path, one twice, or too many`, `List 1 to ${OLDER_PATHS_MAX} older paths.`)
  }
}

export function checkVersions(type: string, version: VersionSource | undefined, upgrade: Upgrades | undefined): void {
  if (version === undefined) {
    check(
      upgrade === undefined,
      `${type} has an upgrade and no version`,
      "Add version: { path: 'version', current: 2 }.",
    )
    return
  }
  const { path, current, absent } = version
  checkPath(type, 'version', path)
  check(isVersion(current), `The current version of ${type} is ${current}`, 'Use a whole number from 0.')
  const older = Object.keys(upgrade ?? {}).map(Number)
  for (const from of older) {
    const isOlder = isVersion(from) && from < current
    check(isOlder, `${type} has an upgrade of ${from}, and ${current} is current`, 'Upgrade from older versions only.')
  }
  const isKnown = absent === undefined || absent === current || older.includes(absent)
  check(isKnown, `${type} reads an absent version as ${absent}`, 'Use the current version, or one that is upgraded.')
  checkSteps(type, upgrade ?? {})
}

function checkSteps(type: string, upgrade: Upgrades): void {
  const steps = Object.values(upgrade).flat()
  check(steps.length <= STEPS_MAX, `${type} has ${steps.length} steps of upgrade`, `Keep to ${STEPS_MAX}.`)
  for (const path of steps.flatMap(pathsOf)) checkPath(type, 'upgrade', path)
}

export function checkPath(type: string, what: string, path: string): void {
  check(
    isDottedPath(path),
    `The path "${path}" of ${type} (${what}) is not a dotted path`,
    "Write it as 'customer.id'.",
  )
}

export function check(isRight: boolean, message: string, next: string): void {
  if (!isRight) throw new DefinitionError(message, next)
}

function isVersion(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
