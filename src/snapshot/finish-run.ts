// The end of a run: whoever finds that all segments are done adds up what the pieces say and commits their parts as one batch. Any
// number may try it at once: the decision is one object, the batch one entry of the log.
import { CatalogError } from '../catalog/errors.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { ManifestPart } from '../catalog/manifest.ts'
import type { CommitInput } from '../catalog/store-batch.ts'
import { byCodePoint } from '../platform/canonical-json.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { WorkDependencies } from './dependencies.ts'
import type { ModelDrift } from './drift.ts'
import { SnapshotError } from './errors.ts'
import { newerThan } from './newer-snapshot.ts'
import { isEnded, type RunEnd, type SnapshotPiece, type SnapshotRun } from './run-records.ts'
import { reportProperties, type SinceBefore, sinceBefore, type SnapshotFacts } from './snapshot-report.ts'
import { refOf, SNAPSHOT_TABLE } from './snapshot-table.ts'
import { UserCounts } from './user-counts.ts'
import { snapshotSchema } from './work-segment.ts'

export interface SnapshotReport extends SnapshotFacts {
  readonly entry: LogEntry
  readonly db: string
  readonly table: string
  readonly partition: string
  /** Of each model that predicted, against what it was trained on. */
  readonly drift: readonly ModelDrift[]
  /** Null where no snapshot of the days before can be compared. */
  readonly since: SinceBefore | null
}

/** Of the items that DynamoDB says the table has, as hours-old as that may be. */
const ITEMS_SHARE_MIN = 0.5

/**
 * Undefined where segments are not done yet. Throws SnapshotError `snapshot-given-up`, `snapshot-incomplete`, `snapshot-short`;
 * CatalogError, ObjectStoreError.
 */
export async function finishRun(deps: WorkDependencies, run: SnapshotRun): Promise<SnapshotReport | undefined> {
  const { compiled, catalog, predictor, clock } = deps
  const counts = new UserCounts(compiled, predictor.models ?? [])
  const added = await addUp(deps, run, counts)
  if (added === undefined) return undefined
  const before = await deps.runs.end(run)
  if (before?.outcome === 'given-up') throw givenUp(run, before)

  const { pipeline } = compiled
  const facts: SnapshotFacts = {
    ...counts.facts(),
    segments: run.segments,
    pieces: added.pieces,
    tableItems: run.tableItems,
    tookMs: clock() - run.createdAtMs,
  }
  const drift = counts.drift.report(name => pipeline.models.find(model => model.name === name)?.owner)
  const distributions = counts.sketches.distributions()
  const since = (await sinceBefore(catalog, run, distributions)) ?? null
  const ref = refOf(run)
  const properties = () => reportProperties(run.instantMs, { facts, drift, distributions, since })
  const entry = await commitRun(deps, run, { parts: added.parts, properties })
  return { entry, ...ref, table: SNAPSHOT_TABLE, ...facts, drift, since }
}

/** Decided once all parts were looked at: of a run whose part is gone before that, nothing is decided, and it can be given up. */
async function commitRun(
  deps: WorkDependencies,
  run: SnapshotRun,
  { parts, properties }: Required<Pick<CommitInput, 'parts' | 'properties'>>,
): Promise<LogEntry> {
  const { catalog, compiled, runs } = deps
  const { batchId, columns, createdAtMs, who, why, instantMs } = run
  try {
    return await catalog.commitParts(
      refOf(run),
      { ...snapshotSchema(compiled), columns },
      {
        batchId,
        parts,
        createdAtMs,
        who,
        why: `${why}, at ${toRfc3339(instantMs)}`,
        properties,
        isOnce: true,
        whenChecked: () => decide(deps, run),
      },
    )
  } catch (error) {
    if (!(error instanceof CatalogError) || error.code !== 'part-differs') throw error
    const isDecided = (await runs.end(run))?.outcome === 'commit'
    throw incomplete(run, error.message, isDecided ? RESTORE : GIVE_UP)
  }
}

interface AddedUp {
  readonly parts: readonly ManifestPart[]
  readonly pieces: number
}

async function addUp(deps: WorkDependencies, run: SnapshotRun, counts: UserCounts): Promise<AddedUp | undefined> {
  const { runs } = deps
  const infos = (await runs.pieces(run)).toSorted((a, b) => a.segment - b.segment || a.number - b.number)
  const parts: ManifestPart[] = []
  const ended = new Set<number>()
  let next = { segment: 0, number: 0 }
  for (const { segment, number } of infos) {
    if (segment !== next.segment) next = { segment, number: 0 }
    if (number !== next.number) throw incomplete(run, `piece ${next.number} of segment ${segment} is not there`)
    next = { segment, number: number + 1 }
    const piece = await runs.piece(run, { segment, number })
    if (piece === undefined) throw incomplete(run, `piece ${number} of segment ${segment} is not there`)
    checkPiece(run, piece)
    counts.merge(piece.counts)
    parts.push(...piece.parts)
    if (isEnded(piece)) ended.add(segment)
  }
  if (ended.size < run.segments) return undefined
  const names = new Set(parts.map(({ name }) => name))
  if (names.size < parts.length) throw incomplete(run, 'two parts have one name')
  refuseShort(run, counts)
  return { parts: parts.toSorted((a, b) => byCodePoint(a.name, b.name)), pieces: infos.length }
}

function checkPiece(run: SnapshotRun, { segment, number, parts, counts }: SnapshotPiece): void {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  const { users } = counts.facts
  if (rows === users && segment < run.segments) return
  throw incomplete(
    run,
    `the parts of piece ${number} of segment ${segment} have ${rows} rows, and ${users} users were counted`,
  )
}

function refuseShort(run: SnapshotRun, counts: UserCounts): void {
  const { users, corruptItems } = counts.facts()
  const { tableItems } = run
  if (tableItems === null || users + corruptItems >= tableItems * ITEMS_SHARE_MIN) return
  throw new SnapshotError(`The scan met ${users + corruptItems} items, and DynamoDB counts ${tableItems}`, {
    code: 'snapshot-short',
    next: 'DynamoDB counts every six hours or so. If many users were removed since, give the run up and take it later.',
    ...whereOf(run),
  })
}

/** The one object that says that the run is committed, or that it never is. */
async function decide({ runs, catalog, clock }: WorkDependencies, run: SnapshotRun): Promise<void> {
  const known = await runs.end(run)
  if (known === undefined) {
    const newer = await newerThan(catalog, refOf(run), run.instantMs)
    const end =
      newer === undefined
        ? ({ outcome: 'commit', at: clock(), who: run.who, why: 'all segments are done' } as const)
        : ({ outcome: 'given-up', at: clock(), who: run.who, why: `${newer} is current, of a later instant` } as const)
    await runs.createEnd(run, end)
  }
  const end = known ?? (await runs.end(run))
  if (end?.outcome !== 'commit') throw givenUp(run, end)
}

function givenUp(run: SnapshotRun, end: RunEnd | undefined): SnapshotError {
  return new SnapshotError(`Run ${run.number} of ${run.partition} was given up: ${end?.why ?? 'nobody said why'}`, {
    code: 'snapshot-given-up',
    next: 'Start another one: millrace snapshot run.',
    ...whereOf(run),
  })
}

const GIVE_UP = 'Nothing was committed. Give it up and start another one: millrace snapshot run --give-up.'
const RESTORE =
  'It is decided that this run is committed. Restore the object from the bucket’s versions, then: millrace snapshot run --resume.'

function incomplete(run: SnapshotRun, what: string, next = GIVE_UP): SnapshotError {
  return new SnapshotError(`Run ${run.number} of ${run.partition} does not add up: ${what}`, {
    code: 'snapshot-incomplete',
    next,
    ...whereOf(run),
  })
}

function whereOf({ partition, number }: SnapshotRun) {
  return { partition, run: number }
}
