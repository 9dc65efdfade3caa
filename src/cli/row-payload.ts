// A row of a table to upstream's own JSON, as its contract reads it: which column is which member, and how a cell becomes a value of
// it. What a cell cannot be made into stays as it is, so that the contract refuses it and says why.
import type { EventContract, TimeSource } from '../event/contract.ts'
import { isContainer, isDottedPath, splitPath, valueAt } from '../event/payload-path.ts'
import { CommandError } from './errors.ts'

export interface RowShape {
  readonly contract: EventContract
  /** Where the event's type is in upstream's JSON. */
  readonly typePath: string
  readonly columns: readonly string[]
  /** By column: a field's name, `id`, `user`, `time`, or a path in upstream's JSON. */
  readonly mapped: ReadonlyMap<string, string>
  /** Cells are text, and what a member is decides how it is read. */
  readonly isText: boolean
}

type Convert = (cell: unknown) => unknown

interface Member {
  readonly segments: readonly string[]
  readonly convert: Convert
}

/** Throws CommandError `columns-invalid`: the same for every row. */
export function rowPayloads(shape: RowShape): (cells: readonly unknown[]) => Uint8Array {
  const { contract, typePath } = shape
  const paths = shape.columns.map(column => pathOf(column, shape))
  refuseOverlap(shape.columns, paths)
  for (const [what, path] of [
    ['id', contract.id],
    ['user', contract.user],
    ['time', timePathOf(contract.time)],
  ] as const) {
    if (!paths.some(own => own === path || path.startsWith(`${own}.`))) throw missing(what, path)
  }
  const members = paths.map((path): Member => ({ segments: path.split('.'), convert: converter(path, shape) }))
  const typeAt = splitPath(typePath)
  return cells => {
    const payload = emptyObject()
    for (const [index, { segments, convert }] of members.entries()) {
      const value = convert(cells[index])
      if (value !== undefined && value !== null) put(payload, segments, value)
    }
    if (valueAt(payload, typeAt) === undefined) put(payload, typeAt, contract.type)
    return Buffer.from(JSON.stringify(payload))
  }
}

/** A path of the contract before a field's name, a field's name before `id`, `user` and `time`; else the name is the path. */
function pathOf(column: string, { contract, typePath, mapped }: RowShape): string {
  const name = mapped.get(column) ?? column
  const fields = new Map(Object.entries(contract.fields).map(([field, { path = field }]) => [field, path]))
  const roles = new Map([
    ['id', contract.id],
    ['user', contract.user],
    ['time', timePathOf(contract.time)],
  ])
  if ([...roles.values(), ...fields.values(), typePath].includes(name)) return name
  const path = fields.get(name) ?? roles.get(name) ?? name
  if (isDottedPath(path)) return path
  throw invalid(`The column "${column}" cannot be a member of upstream's JSON`, 'Map it to a path, or leave it out.')
}

function timePathOf(time: TimeSource): string {
  return typeof time === 'string' ? time : time.path
}

function refuseOverlap(columns: readonly string[], paths: readonly string[]): void {
  for (const [index, path] of paths.entries()) {
    const other = paths.findIndex((own, at) => at !== index && (own === path || own.startsWith(`${path}.`)))
    if (other < 0) continue
    throw invalid(
      `The columns "${columns[index]}" and "${columns[other]}" are both "${path}" of upstream's JSON`,
      'Leave one of the two out.',
    )
  }
}

function missing(what: string, path: string): CommandError {
  return invalid(
    `There is no column for the ${what}, which the contract reads at "${path}"`,
    `Name the column ${what} or ${path}, or give --map ${what}=COLUMN.`,
  )
}

function invalid(message: string, next: string): CommandError {
  return new CommandError(message, { code: 'columns-invalid', next })
}

function converter(path: string, { contract, isText }: RowShape): Convert {
  const { time } = contract
  const unit = path === timePathOf(time) && typeof time !== 'string' ? time.unit : undefined
  if (!isText) return cell => plainValue(cell, unit)
  const kind = Object.entries(contract.fields).find(([name, field]) => (field.path ?? name) === path)?.[1].kind
  if (unit !== undefined || kind === 'number') return numberOfText
  return kind === 'flag' ? flagOfText : filledText
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
