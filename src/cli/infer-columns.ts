// What the columns of a file that says no types are: the narrowest type that takes every value of it. Digits with a zero before them are
// text, as they are a postcode or an id and no number.
import { type Column, columnShape, type ColumnType, SCALAR_TYPES } from '../catalog/columns.ts'
import { fromCsv } from '../catalog/csv-rows.ts'
import type { CsvField } from '../catalog/csv-text.ts'
import { timestampOfText } from '../catalog/text-values.ts'
import type { Json } from '../platform/canonical-json.ts'
import { CommandError, UsageError } from './errors.ts'

/** In this order: the first that takes all. */
const CSV_TYPES = ['int64', 'double', 'boolean', 'timestamp', 'string'] as const
const JSON_SCALARS = ['int64', 'double', 'boolean', 'timestamp', 'string'] as const
const JSON_TYPES: readonly ColumnType[] = [
  ...JSON_SCALARS,
  ...JSON_SCALARS.map(type => `list<${type}>` as const),
  'json',
]

/** The types that all values so far could be of, by column. */
export class ColumnGuesses<V> {
  readonly #possible = new Map<string, readonly ColumnType[]>()
  readonly #seen = new Set<string>()
  readonly #all: readonly ColumnType[]
  readonly #canBe: (value: V, type: ColumnType) => boolean
  readonly #given: ReadonlyMap<string, ColumnType>

  constructor(
    all: readonly ColumnType[],
    canBe: (value: V, type: ColumnType) => boolean,
    given: ReadonlyMap<string, ColumnType>,
  ) {
    this.#all = all
    this.#canBe = canBe
    this.#given = given
  }

  /** Null says nothing. */
  see(name: string, value: V | null): void {
    const possible = this.#possible.get(name)
    if (possible === undefined) this.#possible.set(name, this.#all)
    if (value === null || this.#given.has(name)) return
    const [before, canBe] = [possible ?? this.#all, this.#canBe]
    if (before.length > 1 && !before.every(type => canBe(value, type))) {
      this.#possible.set(
        name,
        before.filter(type => canBe(value, type)),
      )
    }
    this.#seen.add(name)
  }

  /** In the order in which they came; one of nulls only is text. */
  columns(): readonly Column[] {
    return [...this.#possible].map(([name, possible]) => {
      const guess = this.#seen.has(name) ? (possible[0] ?? 'string') : 'string'
      return { name, type: this.#given.get(name) ?? guess }
    })
  }
}

export function csvGuesses(given: ReadonlyMap<string, ColumnType>): ColumnGuesses<string> {
  return new ColumnGuesses<string>(CSV_TYPES, csvCanBe, given)
}

function csvCanBe(field: NonNullable<CsvField>, type: ColumnType): boolean {
  if (field === '') return type === 'string'
  if ((type === 'int64' || type === 'double') && /^[+-]?0\d/.test(field)) return false
  return fromCsv(field, type) !== undefined
}

export function jsonGuesses(given: ReadonlyMap<string, ColumnType>): ColumnGuesses<Json> {
  return new ColumnGuesses<Json>(JSON_TYPES, jsonCanBe, given)
}

function jsonCanBe(value: Json, type: ColumnType): boolean {
  if (type === 'json') return true
  const { kind, of } = columnShape(type) ?? { kind: 'scalar', of: 'json' }
  if (kind === 'list') return Array.isArray(value) && value.every(element => element === null || jsonCanBe(element, of))
  switch (of) {
    case 'int64':
      return Number.isSafeInteger(value)
    case 'double':
      return typeof value === 'number'
    case 'boolean':
      return typeof value === 'boolean'
    case 'timestamp':
      return typeof value === 'string' && timestampOfText(value) !== undefined
    default:
      return typeof value === 'string'
  }
}

/** Of `--type name=type`, as often as it is given. Throws UsageError. */
export function givenTypes(texts: readonly string[]): ReadonlyMap<string, ColumnType> {
  return new Map(
    texts.map(text => {
      const [name = '', type = ''] = text.split('=')
      if (name !== '' && columnShape(type) !== undefined) return [name, type as ColumnType]
      const types = SCALAR_TYPES.join(', ')
      throw new UsageError(`--type is "${text}"`, `Write name=type; a type is ${types}, list<T> or map<string,T>.`)
    }),
  )
}

export function otherColumns(names: readonly string[], columns: readonly Column[]): CommandError | undefined {
  const other = names.find(name => !columns.some(column => column.name === name))
  if (other === undefined) return undefined
  return new CommandError(`The table has no column "${other}"`, {
    code: 'column-not-found',
    next: 'Give --create to add it, or leave it out of the file.',
  })
}
