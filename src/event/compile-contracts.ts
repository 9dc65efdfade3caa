// Contracts made ready for the hot path, once per cold start: paths split, one reader per field, defaults read and scaled, and a
// tree of the members that a contract names.
import { type EventContract, isDottedPath } from './contract.ts'
import type { FieldValue } from './decoded-event.ts'
import { DefinitionError } from './errors.ts'
import type { Field } from './field.ts'
import { isLongerThan } from './identity.ts'
import { TEXT_BYTES_MAX } from './limits.ts'
import { isProblem, PROBLEM, type Problem } from './problem.ts'
import { scaledInteger } from './scaled-decimal.ts'
import { timeReader } from './event-time.ts'

/** Segments of a dotted path. */
export type Path = readonly string[]

export interface Contracts {
  readonly typePath: Path
  readonly byType: ReadonlyMap<string, CompiledContract>
}

export interface CompiledContract {
  readonly type: string
  readonly idPath: Path
  readonly userPath: Path
  readonly timePath: Path
  readonly readTime: (value: unknown) => number | Problem
  readonly fields: readonly CompiledField[]
  readonly named: readonly NamedMember[]
}

export interface CompiledField {
  readonly name: string
  readonly path: Path
  readonly read: ReadField
}

/** A member that a contract reads, or reads through. */
export interface NamedMember {
  readonly key: string
  readonly below: readonly NamedMember[]
}

type ReadField = (value: unknown) => FieldValue | Problem

export interface ContractsOptions {
  /** Where the event's type is in upstream's JSON, as a dotted path. */
  readonly typePath?: string
}

export const TYPE_PATH_DEFAULT = 'type'

/** Throws DefinitionError where two contracts have one type, or a default breaks its own field's rule. */
export function compileContracts(events: readonly EventContract[], options: ContractsOptions = {}): Contracts {
  const typePath = options.typePath ?? TYPE_PATH_DEFAULT
  if (!isDottedPath(typePath)) {
    throw new DefinitionError(`The type path "${typePath}" is not a dotted path`, "Write it as 'type' or 'meta.type'.")
  }
  const byType = new Map<string, CompiledContract>()
  for (const contract of events) {
    if (byType.has(contract.type)) {
      throw new DefinitionError(`Two events have the type ${contract.type}`, 'Give each event its own type.')
    }
    byType.set(contract.type, compileContract(contract, typePath))
  }
  return { typePath: typePath.split('.'), byType }
}

function compileContract(contract: EventContract, typePath: string): CompiledContract {
  const time = contract.time
  const timePath = typeof time === 'string' ? time : time.path
  const fields = Object.entries(contract.fields).map(([name, field]) => ({
    name,
    path: (field.path ?? name).split('.'),
    read: fieldReader(`${contract.type}.${name}`, field),
  }))
  const [idPath, userPath, timeSegments] = [contract.id.split('.'), contract.user.split('.'), timePath.split('.')]
  return {
    type: contract.type,
    idPath,
    userPath,
    timePath: timeSegments,
    readTime: timeReader(time),
    fields,
    named: namedMembers([typePath.split('.'), idPath, userPath, timeSegments, ...fields.map(field => field.path)]),
  }
}

interface GrowingMembers extends Map<string, GrowingMembers> {}

/** The paths as a tree, so that a member that several of them share is counted once. */
function namedMembers(paths: readonly Path[]): NamedMember[] {
  const root: GrowingMembers = new Map()
  for (const path of paths) {
    let members = root
    for (const segment of path) {
      const below: GrowingMembers = members.get(segment) ?? new Map()
      members.set(segment, below)
      members = below
    }
  }
  return listMembers(root)
}

function listMembers(members: GrowingMembers): NamedMember[] {
  return [...members].map(([key, below]) => ({ key, below: listMembers(below) }))
}

function fieldReader(where: string, field: Field): ReadField {
  const readPresent = presentReader(field)
  const absent = absentValue(where, field, readPresent)
  return value => (value === undefined || value === null ? absent : readPresent(value))
}

function absentValue(where: string, field: Field, readPresent: ReadField): FieldValue | Problem {
  if (field.default === undefined) return field.optional ? null : PROBLEM.missing
  const value = readPresent(field.default)
  if (isProblem(value)) {
    throw new DefinitionError(
      `The default of ${where} ${value.problem}`,
      'Give a default that the field itself would take.',
    )
  }
  return value
}

function presentReader(field: Field): ReadField {
  switch (field.kind) {
    case 'number':
      return field.scale === undefined ? readNumber : scaledReader(field.scale)
    case 'text':
      return readText
    case 'choice':
      return choiceReader(new Set(field.values))
    case 'flag':
      return value => (typeof value === 'boolean' ? value : PROBLEM.notFlag)
  }
}

/** JSON has no NaN, but 1e400 parses to Infinity. Adding 0 turns −0 into 0. */
function readNumber(value: unknown): number | Problem {
  if (typeof value !== 'number') return PROBLEM.notNumber
  return Number.isFinite(value) ? value + 0 : PROBLEM.notFinite
}

function scaledReader(scale: number): ReadField {
  return value => {
    const plain = readNumber(value)
    return typeof plain === 'number' ? (scaledInteger(plain, scale) ?? PROBLEM.tooManyDigits) : plain
  }
}

function readText(value: unknown): string | Problem {
  if (typeof value !== 'string') return PROBLEM.notText
  return isLongerThan(value, TEXT_BYTES_MAX) ? PROBLEM.textTooLong : value
}

function choiceReader(values: ReadonlySet<string>): ReadField {
  return value => (typeof value === 'string' && values.has(value) ? value : PROBLEM.notChoice)
}
