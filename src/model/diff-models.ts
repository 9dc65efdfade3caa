// What is different between two versions of a model by their papers alone: nothing is run, and whatever one of the two does not say is
// not known, and not equal.
import type { ArtifactManifest } from './artifact-manifest.ts'
import type { Distribution } from './distribution.ts'
import { type Moved, movedBetween } from './psi.ts'

export interface FieldChange {
  /** `hyperparameters.trees`, `trainingData.to`, `libraries.onnx`. */
  readonly field: string
  /** Null: it is not there. */
  readonly before: string | null
  readonly now: string | null
}

export interface ColumnDiff extends Moved {
  readonly name: string
  readonly change: 'added' | 'removed' | 'kept'
  /** Of what is kept: `definition`, `type`, `missing`, `classes`, … */
  readonly changed: readonly string[]
  readonly missingShareBefore: number | null
  readonly missingShareNow: number | null
}

export interface MetricDiff {
  readonly metric: string
  readonly slice: string
  readonly before: number | null
  readonly now: number | null
  readonly difference: number | null
}

export interface PapersDiff {
  readonly changes: readonly FieldChange[]
  readonly inputs: readonly ColumnDiff[]
  readonly outputs: readonly ColumnDiff[]
  readonly metrics: readonly MetricDiff[]
}

export function diffPapers(before: ArtifactManifest, now: ArtifactManifest): PapersDiff {
  return {
    changes: fieldChanges(before, now),
    inputs: columnDiffs(before.inputs, now.inputs, { definition: 'fingerprint' }),
    outputs: columnDiffs(before.outputs, now.outputs, {}),
    metrics: metricDiffs(before.performance, now.performance),
  }
}

/** Groups whose members are compared one by one, and what is compared as a whole. */
const GROUPS = ['hyperparameters', 'trainingData', 'libraries'] as const
const FIELDS = ['owner', 'who', 'when', 'commit', 'description', 'licence', 'tags', 'bytes', 'sha256'] as const

function fieldChanges(before: ArtifactManifest, now: ArtifactManifest): FieldChange[] {
  const pairs = [
    ...GROUPS.flatMap(group => memberPairs(group, before[group], now[group])),
    ...FIELDS.map(field => ({ field, before: before[field], now: now[field] })),
  ]
  return pairs
    .map(pair => ({ field: pair.field, before: shown(pair.before), now: shown(pair.now) }))
    .filter(change => change.before !== change.now)
}

function memberPairs(group: string, before: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>) {
  const own = (of: Readonly<Record<string, unknown>>, name: string): unknown =>
    Object.hasOwn(of, name) ? of[name] : undefined
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].toSorted()
  return names.map(name => ({ field: `${group}.${name}`, before: own(before, name), now: own(now, name) }))
}

function shown(value: unknown): string | null {
  if (value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

type Column = Readonly<Record<string, unknown>> & {
  readonly name: string
  readonly distribution?: Distribution | undefined
}

/** In the order of now, then what is gone. `words`: what a member is called where its own name says little. */
function columnDiffs(
  before: readonly Column[],
  now: readonly Column[],
  words: Readonly<Record<string, string>>,
): ColumnDiff[] {
  const [old, fresh] = [byName(before), byName(now)]
  const called = (member: string): string => Object.entries(words).find(([, own]) => own === member)?.[0] ?? member
  return [...fresh.keys(), ...[...old.keys()].filter(name => !fresh.has(name))].map(name => {
    const [was, is] = [old.get(name), fresh.get(name)]
    const members = was === undefined || is === undefined ? [] : [...new Set([...Object.keys(was), ...Object.keys(is)])]
    const changed = members.filter(member => member !== 'distribution' && shown(was?.[member]) !== shown(is?.[member]))
    return {
      name,
      change: was === undefined ? 'added' : is === undefined ? 'removed' : 'kept',
      changed: changed.map(called),
      ...movedBetween(was?.distribution, is?.distribution),
      missingShareBefore: missingShare(was?.distribution),
      missingShareNow: missingShare(is?.distribution),
    }
  })
}

function byName(columns: readonly Column[]): ReadonlyMap<string, Column> {
  return new Map(columns.map(column => [column.name, column]))
}

function missingShare(distribution: Distribution | undefined): number | null {
  return distribution === undefined || distribution.count === 0 ? null : distribution.missing / distribution.count
}

type Performance = ArtifactManifest['performance']

function metricDiffs(before: Performance, now: Performance): MetricDiff[] {
  const find = (list: Performance, { metric, slice }: Performance[number]): number | null =>
    list.find(each => each.metric === metric && each.slice === slice)?.value ?? null
  const gone = before.filter(each => find(now, each) === null)
  return [...now, ...gone].map(({ metric, slice }) => {
    const [was, is] = [find(before, { metric, slice, value: 0 }), find(now, { metric, slice, value: 0 })]
    return { metric, slice, before: was, now: is, difference: was === null || is === null ? null : is - was }
  })
}
