// Brings a payload of an older version to the version that the contract reads. Made once per cold start; why a step may refuse
// is made with it, so that a refusal can quote no value.
import { type EventContract, olderPathsOf } from './contract.ts'
import type { Refusal } from './decoded-event.ts'
import { type Container, isContainer, splitPath, valueAt, withoutValue, withValue } from './payload-path.ts'
import { PROBLEM, type Problem } from './problem.ts'
import { refuse } from './refuse.ts'
import { decimalProduct } from './scaled-decimal.ts'
import type { UpgradeStep } from './upgrade-steps.ts'

/** Wrapped, since a payload may have every member that a refusal has. */
export type Upgraded = { readonly payload: unknown } | { readonly refusal: Refusal }

export type Upgrade = (payload: unknown) => Upgraded

const BELOW_NO_OBJECT = 'is below a value that is no object'

interface CompiledStep {
  /** Undefined where it cannot be done without losing a value. */
  readonly apply: (payload: Container) => Container | undefined
  readonly refusal: Refusal
}

/** Undefined where the contract declares no version: its events are read as they came. */
export function compileUpgrade(contract: EventContract): Upgrade | undefined {
  if (contract.version === undefined) return undefined
  const { path, absent, current } = contract.version
  const stepsOf = stepsByVersion(contract, current)
  const versionPath = splitPath(path)
  const refuseVersion = (problem: Problem): Upgraded => ({
    refusal: refuse('unknown-version', { type: contract.type, what: 'the version', path: versionPath }, problem),
  })
  const missing = refuseVersion(PROBLEM.missing)
  const notVersion = refuseVersion(PROBLEM.notVersion)
  const newer = refuseVersion({
    problem: `is newer than ${current}; declare it as current in the contract, with an upgrade of ${current}`,
  })
  const unknown = refuseVersion({
    problem: `is none of those that the contract reads: ${[...stepsOf.keys()].join(', ')}`,
  })
  return payload => {
    const value = valueAt(payload, versionPath) ?? absent
    if (value === undefined) return missing
    const version = readVersion(value)
    if (version === undefined) return notVersion
    const steps = stepsOf.get(version)
    if (steps === undefined) return version > current ? newer : unknown
    return applySteps(payload, steps)
  }
}

/** An integer, or its decimal text. */
function readVersion(value: unknown): number | undefined {
  if (typeof value === 'string') return /^(0|[1-9]\d{0,14})$/.test(value) ? Number(value) : undefined
  return Number.isSafeInteger(value) ? Number(value) : undefined
}

function applySteps(payload: unknown, steps: readonly CompiledStep[]): Upgraded {
  let upgraded = payload
  for (const { apply, refusal } of steps) {
    upgraded = isContainer(upgraded) ? apply(upgraded) : undefined
    if (upgraded === undefined) return { refusal }
  }
  return { payload: upgraded }
}

/** For each version that is read, oldest first, all steps from it to the current one. */
function stepsByVersion(contract: EventContract, current: number): ReadonlyMap<number, readonly CompiledStep[]> {
  const fieldAt = fieldsByPath(contract)
  const own = Object.entries(contract.upgrade ?? {})
    .map(([key, steps]) => ({ version: Number(key), steps }))
    .sort((a, b) => a.version - b.version)
    .map(({ version, steps }) => ({
      version,
      steps: steps.map(step => compileStep(step, { type: contract.type, version, fieldAt })),
    }))
  const chains = own.map(({ version }, index) => [version, own.slice(index).flatMap(({ steps }) => steps)] as const)
  return new Map([...chains, [current, []]])
}

function fieldsByPath(contract: EventContract): ReadonlyMap<string, string> {
  const pairs = Object.entries(contract.fields).flatMap(([name, field]) =>
    [...olderPathsOf(contract, name), field.path ?? name].map(path => [path, name] as const),
  )
  return new Map(pairs)
}

interface StepContext {
  readonly type: string
  /** That the step starts from. */
  readonly version: number
  readonly fieldAt: ReadonlyMap<string, string>
}

function compileStep(step: UpgradeStep, { type, version, fieldAt }: StepContext): CompiledStep {
  const refusal = (path: string, problem: string): Refusal =>
    refuse(
      'contract',
      { type, what: `version ${version}, whose value`, path: splitPath(path), field: fieldAt.get(path) },
      { problem },
    )
  switch (step.kind) {
    case 'move':
      return { apply: mover(step), refusal: refusal(step.to, `is in the way of the one at "${step.from}"`) }
    case 'convert':
      return {
        apply: converter(step),
        refusal: refusal(step.path, `is no number that can be taken ${step.factor} times`),
      }
    case 'replace':
      return { apply: replacer(step), refusal: refusal(step.path, BELOW_NO_OBJECT) }
    case 'set':
      return { apply: setter(step), refusal: refusal(step.path, BELOW_NO_OBJECT) }
  }
}

type Apply = CompiledStep['apply']

function mover({ from, to }: Extract<UpgradeStep, { kind: 'move' }>): Apply {
  const [fromPath, toPath] = [splitPath(from), splitPath(to)]
  return payload => {
    const value = valueAt(payload, fromPath)
    if (value === undefined) return payload
    const rest = withoutValue(payload, fromPath)
    return (valueAt(rest, toPath) ?? null) === null ? withValue(rest, toPath, value) : undefined
  }
}

function converter({ path, factor }: Extract<UpgradeStep, { kind: 'convert' }>): Apply {
  const at = splitPath(path)
  return payload => {
    const value = valueAt(payload, at) ?? null
    if (value === null) return payload
    const product = typeof value === 'number' ? decimalProduct(value, factor) : undefined
    return product === undefined ? undefined : withValue(payload, at, product)
  }
}

function replacer({ path, values }: Extract<UpgradeStep, { kind: 'replace' }>): Apply {
  const at = splitPath(path)
  const byText = new Map(Object.entries(values))
  return payload => {
    const value = valueAt(payload, at)
    const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    const replaced = isScalar ? byText.get(String(value)) : undefined
    return replaced === undefined ? payload : withValue(payload, at, replaced)
  }
}

function setter({ path, value }: Extract<UpgradeStep, { kind: 'set' }>): Apply {
  const at = splitPath(path)
  return payload => ((valueAt(payload, at) ?? null) === null ? withValue(payload, at, value) : payload)
}
