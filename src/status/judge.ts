// From readings to lines: each says one thing, whether that is well, and what to do where it is not. Pure, so that what a night on call
// is decided by can be tested.
import { toRfc3339 } from '../platform/clock.ts'
import { functionLine } from './judge-functions.ts'
import { COMPACTION_HOURS_LEFT_MAX, COMPACTION_SILENT_MAX_MS, type StatusLimits } from './limits.ts'
import { type Counted, isRead, type Reading, type Readings } from './readings.ts'
import { modelLine } from './judge-models.ts'
import { lineOf, type StatusLine, unwell, well } from './status-line.ts'
import { ageText, countText } from './texts.ts'

export function judge(readings: Readings, limits: StatusLimits): readonly StatusLine[] {
  const deployed = readings.functions.filter(({ key, deployed: found }) => !isMissingOption(key, found))
  return [
    ...deployed.map(each => functionLine(each, readings, limits)),
    freshnessLine(readings),
    deadLettersLine(readings, limits),
    givenUpLine(readings),
    doubtLine(readings),
    compactionLine(readings),
    ...readings.models.map(model => modelLine(model, readings.nowMs)),
    ...(readings.models.length === 0 ? [] : [predictionsLine(readings)]),
    snapshotLine(readings, limits),
    definitionsLine(readings),
  ]
}

export function isHealthy(lines: readonly StatusLine[]): boolean {
  return lines.every(({ verdict }) => verdict === 'well')
}

/** Of the six functions a team may leave out these. */
const OPTIONAL_FUNCTIONS: ReadonlySet<string> = new Set(['serve', 'ingest', 'snapshot', 'compact', 'catalog'])

function isMissingOption(key: string, deployed: Reading<unknown>): boolean {
  return OPTIONAL_FUNCTIONS.has(key) && isRead(deployed) && deployed.value === undefined
}

function freshnessLine({ newestArchivedMs, nowMs }: Readings): StatusLine {
  const name = 'freshness'
  return lineOf(name, newestArchivedMs, arrivalMs => {
    if (arrivalMs === undefined)
      return well(name, 'the archive has no event of the last week', { newestArrivalMs: null })
    const text = `the newest archived event arrived ${ageText(nowMs - arrivalMs)} ago`
    return well(name, text, { newestArrivalMs: arrivalMs })
  })
}

function deadLettersLine({ deadLetters }: Readings, limits: StatusLimits): StatusLine {
  const name = 'dead-letters'
  return lineOf(name, deadLetters, ({ count, isComplete, reasons }) => {
    const byReason = Object.fromEntries(reasons.map(({ reason, count: own }) => [reason, own]))
    const values = { count, isComplete, byReason }
    if (count === 0) return isComplete ? well(name, 'none open', values) : notLooked(name, 'millrace deadletters list')
    const parts = reasons.map(({ reason, count: own, owners }) =>
      owners.length === 0 ? `${reason} ${own}` : `${reason} ${own} (${owners.join(', ')})`,
    )
    const open = `open: ${parts.join(', ')}`
    if (count <= limits.deadLetters && !isComplete) {
      const next = `look on with a longer --patience: ${countText(limits.deadLetters)} are allowed, and there may be more`
      return unwell(name, `at least ${countText(count)} ${open}`, { verdict: 'unknown', next, values })
    }
    const text = `${counted({ count, isComplete })} ${open}`
    if (count <= limits.deadLetters) return well(name, text, values)
    return unwell(name, text, { next: 'millrace deadletters list, then mend the cause and replay them', values })
  })
}

function givenUpLine({ givenUp, nowMs }: Readings): StatusLine {
  const name = 'given-up'
  return lineOf(name, givenUp, ({ newestMs, ...found }) => {
    const values = { ...found, newestMs: newestMs ?? null }
    if (found.count === 0) {
      return found.isComplete ? well(name, 'no batch', values) : notLooked(name, 'millrace deadletters list')
    }
    const newest = newestMs === undefined ? '' : `, the newest ${ageText(nowMs - newestMs)} ago`
    const text = `${counted(found)} batches that Lambda stopped retrying${newest}`
    return unwell(name, text, { next: 'millrace backfill --dead-letters given-up, once the function works', values })
  })
}

function doubtLine({ doubt }: Readings): StatusLine {
  const name = 'doubt'
  const next = 'millrace backfill --doubt'
  return lineOf(name, doubt, found => {
    const values = { ...found }
    if (found.count === 0) return found.isComplete ? well(name, 'none', values) : notLooked(name, next)
    return unwell(name, `${counted(found)} events of users that wait for a rebuild`, { next, values })
  })
}

/** That there was no time is no proof that there are none. */
function notLooked(name: string, next: string): StatusLine {
  const text = 'none among those that there was time to look at; --patience gives more'
  return unwell(name, text, { verdict: 'unknown', next, values: { count: 0, isComplete: false } })
}

function counted({ count, isComplete }: Counted): string {
  return isComplete ? countText(count) : `more than ${countText(count)}`
}

function compactionLine({ compaction, functions, nowMs }: Readings): StatusLine {
  const name = 'compaction'
  return lineOf(name, compaction, ({ hoursLeft, runs }) => {
    const own = functions.find(({ key }) => key === 'compact')
    const updatedMs = own !== undefined && isRead(own.deployed) ? own.deployed.value?.updatedMs : undefined
    const isOld = nowMs - (updatedMs ?? nowMs) >= COMPACTION_SILENT_MAX_MS
    const values = { hoursLeft: hoursLeft ?? 0 }
    if (runs === 0 && isOld) {
      const next = 'look at its schedule; millrace archive compact does what is due'
      return unwell(name, `did not run in ${ageText(COMPACTION_SILENT_MAX_MS)}`, { next, values })
    }
    if (hoursLeft === undefined) return well(name, 'no hours left behind', values)
    const text = `${countText(hoursLeft)} hours left behind`
    if (hoursLeft <= COMPACTION_HOURS_LEFT_MAX) return well(name, text, values)
    return unwell(name, text, { next: 'millrace archive compact', values })
  })
}

function predictionsLine({ predictions, models, nowMs }: Readings): StatusLine {
  const name = 'predictions'
  return lineOf(name, predictions, found => {
    if (found === undefined) return well(name, 'none stored lately', { ok: 0, refused: 0 })
    const { atMs, ok, refused } = found
    const text = `${countText(refused)} of ${countText(ok + refused)} refused, in the newest minute, ${ageText(nowMs - atMs)} ago`
    const values = { ...found }
    if (refused === 0) return well(name, text, values)
    const table = `models.${models.length === 1 ? models[0]?.name : 'NAME'} production`
    return unwell(name, text, {
      next: `millrace table history ${table}, then millrace table rollback ${table} BATCH`,
      values,
    })
  })
}

function snapshotLine({ snapshot, functions, nowMs }: Readings, { snapshotAgeMs }: StatusLimits): StatusLine {
  const name = 'snapshot'
  const next = 'millrace snapshot run'
  return lineOf(name, snapshot, found => {
    if (found === undefined) {
      const own = functions.find(({ key }) => key === 'snapshot')
      const deployed = own !== undefined && isRead(own.deployed) ? own.deployed.value : undefined
      const isNew = deployed?.updatedMs === undefined || nowMs - deployed.updatedMs <= snapshotAgeMs
      return isNew ? well(name, 'none yet', { batchId: null }) : unwell(name, 'none in the last week', { next })
    }
    const { partition, batchId, at, rows } = found
    const text = `${batchId} of ${partition}, ${countText(rows)} rows, ${ageText(nowMs - at)} ago`
    const values = { ...found }
    return nowMs - at <= snapshotAgeMs ? well(name, text, values) : unwell(name, text, { next, values })
  })
}

/** Never unwell: a folder that is being worked in differs from what is deployed. */
function definitionsLine({ definitions }: Readings): StatusLine {
  const name = 'definitions'
  return lineOf(name, definitions, ({ recordedAt, isSame }) => {
    const values = { recordedAtMs: recordedAt ?? null, isSame }
    if (recordedAt === undefined) {
      return well(name, 'none recorded yet; the last step of a deploy is millrace definitions record', values)
    }
    const since = `recorded at ${toRfc3339(recordedAt)}`
    return well(
      name,
      isSame ? `this folder's, ${since}` : `other than this folder's, ${since}; see millrace plan`,
      values,
    )
  })
}
