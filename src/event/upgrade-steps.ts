// How an older version of upstream's JSON becomes the next one: steps as data, so that a contract can be stored, shown and
// compared. A step either does all that it says or refuses the event: none of them loses a value.
import { DefinitionError } from './errors.ts'
import { isDottedPath } from './payload-path.ts'

export type Scalar = string | number | boolean

export type UpgradeStep = MoveStep | ConvertStep | ReplaceStep | SetStep

interface MoveStep {
  readonly kind: 'move'
  readonly from: string
  readonly to: string
}
interface ConvertStep {
  readonly kind: 'convert'
  readonly path: string
  readonly factor: number
}
interface ReplaceStep {
  readonly kind: 'replace'
  readonly path: string
  readonly values: Readonly<Record<string, Scalar>>
}
interface SetStep {
  readonly kind: 'set'
  readonly path: string
  readonly value: Scalar
}

/** The value at `from` stands at `to` since then. An event with a value at both is refused. */
export function move(from: string, to: string): UpgradeStep {
  checkPath('move', from)
  checkPath('move', to)
  check(from !== to, `move('${from}') moves to where it is`, 'Give the path of the next version.')
  return { kind: 'move', from, to }
}

/** The number has another unit since then: `convert('amount', 0.01)`, cents to euros. Exact for decimals. */
export function convert(path: string, factor: number): UpgradeStep {
  checkPath('convert', path)
  const isRight = Number.isFinite(factor) && factor !== 0
  check(isRight, `convert('${path}', ${factor}) leaves nothing of the number`, 'Use a finite factor other than 0.')
  return { kind: 'convert', path, factor }
}

/** Values are written otherwise since then: `replace('channel', { mobile: 'app' })`, `replace('gift', { 1: true })`. Others stay. */
export function replace(path: string, values: Readonly<Record<string, Scalar>>): UpgradeStep {
  checkPath('replace', path)
  check(Object.keys(values).length > 0, `replace('${path}') has no values`, "Write it as { before: 'after' }.")
  for (const value of Object.values(values)) checkScalar('replace', path, value)
  return { kind: 'replace', path, values }
}

/** What the older version did not say, and always meant. A value that is there stays. */
export function set(path: string, value: Scalar): UpgradeStep {
  checkPath('set', path)
  checkScalar('set', path, value)
  return { kind: 'set', path, value }
}

/** The paths that a step reads or writes. */
export function pathsOf(step: UpgradeStep): readonly string[] {
  return step.kind === 'move' ? [step.from, step.to] : [step.path]
}

function checkPath(step: string, path: string): void {
  check(isDottedPath(path), `The path "${path}" of ${step} is not a dotted path`, "Write it as 'customer.id'.")
}

function checkScalar(step: string, path: string, value: unknown): void {
  const isScalar = typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
  check(isScalar, `${step}('${path}') has a value that is no text, number or flag`, 'Give one of these.')
}

function check(isRight: boolean, message: string, next: string): void {
  if (!isRight) throw new DefinitionError(message, next)
}
