// What a version must be able to show before it is promoted: `auc >= production - 0.01`. A small language of its own, read and
// compared here, so that nothing of an expression is ever run.
import type { ArtifactManifest } from './artifact-manifest.ts'
import { ModelError } from './errors.ts'

export type GateOperator = '>=' | '>' | '<=' | '<' | '=='
export type GateStage = 'production' | 'staging'

export interface Gate {
  /** As it was written. */
  readonly text: string
  readonly metric: string
  /** Undefined: the only one that there is of the metric, or `all`. */
  readonly slice: string | undefined
  readonly operator: GateOperator
  /** A number, or the same metric of the version that is current in a stage. */
  readonly reference: number | GateStage
  readonly offset: number
}

export interface GateResult {
  readonly gate: string
  readonly holds: boolean
  /** Of the version that is to be promoted. */
  readonly value: number
  /** What it was held against; undefined: nothing is current there, so there is nothing to be worse than. */
  readonly bound: number | undefined
}

const CHARACTERS_MAX = 512
const NAME = String.raw`(?:"([^"]{1,256})"|([A-Za-z_](?:[\w.-]*\w)?))`
const SLICE = String.raw`(?:"([^"]{1,256})"|([\w.:=-]+))`
const NUMBER = String.raw`(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`
const GATE = new RegExp(
  String.raw`^\s*${NAME}\s*(?:@\s*${SLICE}\s*)?(>=|<=|==|>|<)\s*(?:([+-]?${NUMBER})|(production|staging))\s*(?:([+-])\s*(${NUMBER}))?\s*$`,
)

/** Throws ModelError `gate-invalid`. */
export function parseGate(text: string): Gate {
  const match = text.length <= CHARACTERS_MAX ? GATE.exec(text) : null
  if (match === null) throw invalid(text)
  const [, quoted, name, quotedSlice, slice, operator, number, stage, sign, offset] = match
  const reference = number === undefined ? (stage as GateStage) : Number(number)
  const moved = offset === undefined ? 0 : Number(`${sign}${offset}`)
  if (!Number.isFinite(moved) || (typeof reference === 'number' && !Number.isFinite(reference))) throw invalid(text)
  return {
    text: text.trim(),
    metric: quoted ?? name ?? '',
    slice: quotedSlice ?? slice,
    operator: operator as GateOperator,
    reference,
    offset: moved,
  }
}

type Performance = ArtifactManifest['performance']

/** `current`: what the versions of the stages say of themselves; undefined where nothing is current. Throws ModelError `gate-metric`. */
export function checkGate(
  gate: Gate,
  candidate: Performance,
  current: Readonly<Record<GateStage, Performance | undefined>>,
): GateResult {
  const value = metricOf(gate, candidate, 'the version')
  const { reference, offset, operator, text } = gate
  const against = typeof reference === 'number' ? undefined : current[reference]
  if (typeof reference !== 'number' && against === undefined)
    return { gate: text, holds: true, value, bound: undefined }
  const from = typeof reference === 'number' ? reference : metricOf(gate, against ?? [], `what is in ${reference}`)
  const bound = withoutNoise(from + offset)
  return { gate: text, holds: COMPARE[operator](withoutNoise(value), bound), value, bound }
}

const COMPARE: Readonly<Record<GateOperator, (a: number, b: number) => boolean>> = {
  '>=': (a, b) => a >= b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '<': (a, b) => a < b,
  '==': (a, b) => a === b,
}

/** 0.73 - 0.01 is 0.72 to who wrote it, and 0.71999999999999997 to a computer. */
const DIGITS = 12

function withoutNoise(value: number): number {
  return Number(value.toPrecision(DIGITS))
}

const SLICE_DEFAULT = 'all'

function metricOf({ metric, slice }: Gate, performance: Performance, whose: string): number {
  const found = performance.filter(each => each.metric === metric)
  const own =
    slice === undefined && found.length === 1 ? found[0] : found.find(each => each.slice === (slice ?? SLICE_DEFAULT))
  if (own !== undefined) return own.value
  const names = found.length === 0 ? performance.map(each => each.metric) : found.map(each => `${metric}@${each.slice}`)
  const there = names.length === 0 ? 'they have no metrics' : `they have ${[...new Set(names)].join(', ')}`
  throw new ModelError(
    `The papers of ${whose} do not say ${metric}${slice === undefined ? '' : ` on ${slice}`}; ${there}`,
    {
      code: 'gate-metric',
      next: 'Name a metric that both have, with @SLICE where there are several of it.',
    },
  )
}

function invalid(text: string): ModelError {
  return new ModelError(`"${text.slice(0, 80)}" is no condition`, {
    code: 'gate-invalid',
    next: "Write METRIC[@SLICE], one of >= > <= < ==, then a number, production or staging, and + or - a number if need be: 'auc >= production - 0.01'.",
  })
}

/** `auc >= production - 0.01: 0.73 against 0.71, holds` */
export function gateLine({ gate, holds, value, bound }: GateResult): string {
  const against = bound === undefined ? 'nothing is there to compare with' : `${value} against ${bound}`
  return `${gate}: ${against}, ${holds ? 'holds' : 'does not hold'}`
}
