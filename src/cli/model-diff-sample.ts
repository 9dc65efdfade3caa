// Whom two versions are asked about: users of the pipeline's last snapshot, or, where there is none or none that both can answer, golden
// rows. Rows of a snapshot come bucket by bucket of a hash of the user, so the first of them are as good as drawn by lot.
import type { Catalog } from '../catalog/catalog.ts'
import type { Row } from '../catalog/columns.ts'
import { loadRows } from '../catalog/table-rows.ts'
import { diffPredictions, type PredictionsDiff } from '../model/diff-predictions.ts'
import { goldenInputRows, type InputRow, toFeatureValue } from '../model/diff-rows.ts'
import type { ModelSession } from '../model/model-session.ts'
import { openOnnxSession } from '../model/onnx-session.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { SNAPSHOT_TABLE } from '../snapshot/take-snapshot.ts'
import type { DiffVersion } from './model-diff.ts'

export type SampleSource =
  | { readonly kind: 'snapshot'; readonly partition: string; readonly batchId: string }
  /** Of this version. `why` there are no users. */
  | { readonly kind: 'golden'; readonly batchId: string; readonly why: string }
  | { readonly kind: 'none'; readonly why: string }

export interface NamedMover {
  readonly user: string
  readonly before: number | string
  readonly now: number | string
}

export interface SampleOptions {
  readonly catalog: Catalog
  readonly pipeline: Pipeline
  readonly tolerance: number
  readonly rowsMax: number
  readonly isNamed: boolean
}

export interface SampleDiff {
  readonly sample: SampleSource
  readonly predictions: PredictionsDiff | null
  readonly users?: Readonly<Record<string, readonly NamedMover[]>>
}

const MOVERS_MAX = 10

export async function diffOnSample(before: DiffVersion, now: DiffVersion, options: SampleOptions): Promise<SampleDiff> {
  const sessions = await Promise.all([before, now].map(({ artifact, batchId }) => openOnnxSession(artifact, batchId)))
  const [old, fresh] = sessions
  if (old === undefined || fresh === undefined) throw new Error('Two versions are two sessions')
  const { tolerance, isNamed } = options
  const compare = (rows: readonly InputRow[]) => diffPredictions(old, fresh, { rows, tolerance, moversMax: MOVERS_MAX })

  const snapshot = await snapshotRows(options, [old, fresh])
  const found = snapshot === undefined ? undefined : await compare(snapshot.rows)
  if (snapshot !== undefined && found !== undefined && found.compared > 0) {
    const users = isNamed ? { users: namedMovers(found, snapshot.users) } : {}
    return { sample: snapshot.source, predictions: found, ...users }
  }
  const why =
    found === undefined
      ? 'no snapshot was ever taken'
      : `of the ${found.rows} users of the last snapshot none can be answered by both`
  for (const { artifact, batchId } of [now, before]) {
    if (artifact.golden === undefined) continue
    const predictions = await compare(goldenInputRows(artifact.golden, artifact.manifest))
    if (predictions.compared > 0) return { sample: { kind: 'golden', batchId, why }, predictions }
  }
  return {
    sample: { kind: 'none', why: `${why}, and there are no golden rows that both can answer` },
    predictions: null,
  }
}

interface SnapshotSample {
  readonly source: SampleSource
  readonly rows: readonly InputRow[]
  /** By row. */
  readonly users: readonly string[]
}

async function snapshotRows(
  { catalog, pipeline, rowsMax }: SampleOptions,
  sessions: readonly ModelSession[],
): Promise<SnapshotSample | undefined> {
  const table = { db: pipeline.name, table: SNAPSHOT_TABLE }
  // `day=2026-01-31`: the last in order is the newest.
  const last = (await catalog.partitions(table)).at(-1)
  if (last === undefined) return undefined
  const ref = { ...table, partition: last.partition }
  const current = await catalog.current(ref)
  if (current === undefined) return undefined
  const names = new Set(sessions.flatMap(({ manifest }) => manifest.inputs.map(({ name }) => name)))
  const [rows, users]: [InputRow[], string[]] = [[], []]
  for await (const row of loadRows(catalog, ref, current.batchId)) {
    rows.push(inputsOf(row, names))
    const { user_id: user } = row
    users.push(typeof user === 'string' ? user : '')
    if (rows.length >= rowsMax) break
  }
  return { source: { kind: 'snapshot', partition: last.partition, batchId: current.batchId }, rows, users }
}

/** A feature that is not known yet is no null: no model may be asked. */
function inputsOf(row: Row, names: ReadonlySet<string>): InputRow {
  const values = [...names].flatMap(name =>
    Object.hasOwn(row, name) ? [[name, toFeatureValue(row[name])] as const] : [],
  )
  const pending = row['pending']
  const isPending = typeof pending === 'object' && pending !== null && !Array.isArray(pending)
  return {
    values: Object.fromEntries(values),
    ...(isPending ? { pending: pending as Readonly<Record<string, string>> } : {}),
  }
}

function namedMovers(
  { outputs }: PredictionsDiff,
  users: readonly string[],
): Readonly<Record<string, readonly NamedMover[]>> {
  return Object.fromEntries(
    outputs.map(({ name, movers }) => [
      name,
      movers.map(({ row, before, now }) => ({ user: users[row] ?? '', before, now })),
    ]),
  )
}
