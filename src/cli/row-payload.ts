// A row of a table to upstream's own JSON, as its contract reads it: which column is which member, and how a cell becomes a value of
// it. What a cell cannot be made into stays as it is, so that the contract refuses it and says why.
import { type EventContract, olderPathsOf, type TimeSource } from '../event/contract.ts'
import type { Field } from '../event/field.ts'
import { hasForbiddenSegment, isContainer, isDottedPath, splitPath, valueAt } from '../event/payload-path.ts'
import { pathsOf, type UpgradeStep } from '../event/upgrade-steps.ts'
import { CommandError, UsageError } from './errors.ts'
import { nearest } from './nearest.ts'

export interface RowShape {
  readonly contract: EventContract
  /** Where the event's type is in upstream's JSON. */
  readonly typePath: string
  readonly columns: readonly string[]
  /** By a field's name, `id`, `user`, `time`, or a path in upstream's JSON: the column. Others are what they are called. */
  readonly columnOf: ReadonlyMap<string, string>
  /** Cells are text, and what a member is decides how it is read. */
  readonly isText: boolean
}

type Convert = (cell: unknown) => unknown

interface Member {
  readonly column: string
  /** Of the cell in its row. */
  readonly index: number
  readonly path: string
  readonly segments: readonly string[]
  readonly convert: Convert
}

/** Throws CommandError `columns-invalid` and UsageError: the same for every row. */
export function rowPayloads(shape: RowShape): (cells: readonly unknown[]) => Uint8Array {
  const { contract, typePath, columns, columnOf } = shape
  for (const target of columnOf.keys()) checkTarget(target, shape)
  const members = columns.flatMap((column, index) => {
    const targets = [...columnOf].flatMap(([target, own]) => (own === column ? [target] : []))
    return (targets.length === 0 ? [column] : targets).map((name): Member => {
      const { path, segments } = placeOf(name, { shape, column })
      return { column, index, path, segments, convert: converter(path, shape) }
    })
  })
  refuseOverlap(members)
  for (const [what, path] of Object.entries(rolesOf(contract))) {
    if (!members.some(({ path: own }) => own === path || path.startsWith(`${own}.`))) throw missing(what, path, columns)
  }
  const typeAt = splitPath(typePath)
  return cells => {
    const payload = emptyObject()
    for (const { index, segments, convert } of members) {
      const value = convert(cells[index])
      if (value !== undefined && value !== null) put(payload, segments, value)
    }
    if (valueAt(payload, typeAt) === undefined) put(payload, typeAt, contract.type)
    return Buffer.from(JSON.stringify(payload))
  }
}

function rolesOf({ id, user, time }: EventContract): Readonly<Record<'id' | 'user' | 'time', string>> {
  return { id, user, time: timePathOf(time) }
}

/**
 * A path of the contract before a field's name, a field's name before `id`, `user` and `time`; else the name is the path. What
 * nobody can have written as a path is a member by that name, and none that a contract could read.
 */
function placeOf(
  name: string,
  { shape, column }: { readonly shape: RowShape; readonly column: string },
): Pick<Member, 'path' | 'segments'> {
  const { contract, typePath } = shape
  const fields = new Map(Object.entries(contract.fields).map(([field, { path = field }]) => [field, path]))
  const roles = rolesOf(contract)
  const isPath = [...Object.values(roles), ...fields.values(), typePath].includes(name)
  const path = isPath ? name : (fields.get(name) ?? new Map(Object.entries(roles)).get(name) ?? name)
  if (isDottedPath(path)) return { path, segments: splitPath(path) }
  if (name === column && !hasForbiddenSegment(path)) return { path, segments: [path] }
  throw invalid(`The column "${column}" cannot be "${name}" of upstream's JSON`, 'Map it to a path, or leave it out.')
}

/** A word that is nearly one of the contract's is no path of something else: an optional field would be without a value unseen. */
function checkTarget(target: string, { contract, typePath }: RowShape): void {
  const { renamed = {}, version, upgrade = {} } = contract
  const known = [
    ...Object.keys(contract.fields),
    ...Object.keys(rolesOf(contract)),
    ...Object.values(rolesOf(contract)),
    ...Object.values(contract.fields).flatMap(({ path = [] }) => path),
    ...Object.values(renamed).flatMap((older = []) => older),
    ...Object.values(upgrade).flatMap(steps => steps.flatMap(pathsOf)),
    ...(version === undefined ? [] : [version.path]),
    typePath,
  ]
  if (known.some(path => path === target || path.startsWith(`${target}.`))) return
  const guess = nearest(target, known)
  if (guess === undefined) return
  throw new UsageError(`--map names "${target}", which ${contract.type} does not read`, `Did you mean ${guess}?`)
}

function timePathOf(time: TimeSource): string {
  return typeof time === 'string' ? time : time.path
}

function refuseOverlap(members: readonly Member[]): void {
  for (const [index, { path, column }] of members.entries()) {
    const other = members.find(({ path: own }, at) => at !== index && (own === path || own.startsWith(`${path}.`)))
    if (other === undefined) continue
    throw invalid(
      `The columns "${column}" and "${other.column}" are both "${path}" of upstream's JSON`,
      'Leave one of the two out.',
    )
  }
}

function missing(what: string, path: string, columns: readonly string[]): CommandError {
  return invalid(
    `There is no column for the ${what}, which the contract reads at "${path}"; there are ${columns.join(', ')}`,
    `Name the column ${what} or ${path}, or give --map ${what}=COLUMN.`,
  )
}

function invalid(message: string, next: string): CommandError {
  return new CommandError(message, { code: 'columns-invalid', next })
}

function converter(path: string, { contract, isText }: RowShape): Convert {
  const { time } = contract
  const readAt = currentPath(path, contract)
  const unit = typeof time !== 'string' && readAt === time.path ? time.unit : undefined
  if (!isText) return cell => plainValue(cell, unit)
  const paths = ([name, { path: own = name }]: readonly [string, Field]) => [own, ...olderPathsOf(contract, name)]
  const kind = Object.entries(contract.fields).find(field => paths(field).includes(readAt))?.[1].kind
  if (unit !== undefined || kind === 'number') return numberOfText
  return kind === 'flag' ? flagOfText : filledText
}

/** Where the contract's upgrades move what stands at the path. */
function currentPath(path: string, { upgrade = {} }: EventContract): string {
  const byVersion: readonly (readonly [string, readonly UpgradeStep[]])[] = Object.entries(upgrade)
  const steps = byVersion.toSorted(([a], [b]) => Number(a) - Number(b)).flatMap(([, own]) => own)
  return steps.reduce((at, step) => {
    if (step.kind !== 'move' || !`${at}.`.startsWith(`${step.from}.`)) return at
    return step.to + at.slice(step.from.length)
  }, path)
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** An empty cell is no value. */
function filledText(cell: unknown): unknown {
  return cell === '' ? undefined : cell
}

function numberOfText(cell: unknown): unknown {
  return typeof cell === 'string' && NUMBER.test(cell) ? Number(cell) : filledText(cell)
}

/** pandas writes `True`. */
function flagOfText(cell: unknown): unknown {
  const word = typeof cell === 'string' ? cell.toLowerCase() : cell
  return word === 'true' || word === 'false' ? word === 'true' : filledText(cell)
}

/** Values of Parquet as JSON has them: an instant is RFC 3339, or a number where the contract declares a unit. */
function plainValue(cell: unknown, unit: 's' | 'ms' | undefined): unknown {
  if (cell instanceof Date) {
    if (Number.isNaN(cell.getTime())) return String(cell)
    if (unit === undefined) return cell.toISOString()
    return unit === 's' ? cell.getTime() / 1000 : cell.getTime()
  }
  if (typeof cell === 'bigint') return isSafe(cell) ? Number(cell) : String(cell)
  if (typeof cell === 'number') return plainNumber(cell)
  if (cell instanceof Uint8Array) return Buffer.from(cell).toString('base64')
  if (Array.isArray(cell)) return cell.map(item => plainValue(item, undefined) ?? null)
  if (typeof cell !== 'object' || cell === null) return cell
  const object = emptyObject()
  for (const [key, value] of Object.entries(cell)) {
    const plain = plainValue(value, undefined)
    if (plain !== undefined && plain !== null) object[key] = plain
  }
  return object
}

/** NaN is how data frames write "no value"; the infinities are no JSON, and the contract is to say so. */
function plainNumber(cell: number): unknown {
  if (Number.isNaN(cell)) return undefined
  return Number.isFinite(cell) ? cell : String(cell)
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
}

type Growing = Record<string, unknown>

/** Without a prototype: names come from a file. */
function emptyObject(): Growing {
  return Object.create(null) as Growing
}

function put(payload: Growing, segments: readonly string[], value: unknown): void {
  let object = payload
  for (const segment of segments.slice(0, -1)) {
    const inside = object[segment]
    object = isContainer(inside) ? (inside as Growing) : (object[segment] = emptyObject())
  }
  object[segments.at(-1) ?? ''] = value
}
