// Contracts made ready for the hot path, once per cold start: paths split, one reader per field, defaults read and scaled, and a
// tree of the members that a contract names.
import { compileUpgrade, type Upgrade } from './compile-upgrade.ts'
import { type EventContract, olderPathsOf } from './contract.ts'
import { DefinitionError } from './errors.ts'
import { timeReader } from './event-time.ts'
import { fieldReader, type ReadField } from './field-reader.ts'
import { isDottedPath, type Path, splitPath } from './payload-path.ts'
import type { Problem } from './problem.ts'
import { pathsOf } from './upgrade-steps.ts'

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
  /** Undefined where there is one version. */
  readonly upgrade: Upgrade | undefined
  readonly named: readonly NamedMember[]
}

export interface CompiledField {
  readonly name: string
  readonly path: Path
  /** Tried in order where the path has no value. */
  readonly olderPaths: readonly Path[]
  readonly read: ReadField
}

/** A member that a contract reads, or reads through. */
export interface NamedMember {
  readonly key: string
  readonly below: readonly NamedMember[]
}

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
  return { typePath: splitPath(typePath), byType }
}

function compileContract(contract: EventContract, typePath: string): CompiledContract {
  const time = contract.time
  const timePath = splitPath(typeof time === 'string' ? time : time.path)
  const fields = Object.entries(contract.fields).map(([name, field]) => ({
    name,
    path: splitPath(field.path ?? name),
    olderPaths: olderPathsOf(contract, name).map(splitPath),
    read: fieldReader(`${contract.type}.${name}`, field),
  }))
  const [idPath, userPath] = [splitPath(contract.id), splitPath(contract.user)]
  const fieldPaths = fields.flatMap(({ path, olderPaths }) => [path, ...olderPaths])
  return {
    type: contract.type,
    idPath,
    userPath,
    timePath,
    readTime: timeReader(time),
    fields,
    upgrade: compileUpgrade(contract),
    named: namedMembers([splitPath(typePath), idPath, userPath, timePath, ...fieldPaths, ...upgradePaths(contract)]),
  }
}

function upgradePaths({ version, upgrade = {} }: EventContract): Path[] {
  const ofSteps = Object.values(upgrade).flatMap(steps => steps.flatMap(pathsOf))
  return [...(version === undefined ? [] : [version.path]), ...ofSteps].map(splitPath)
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
