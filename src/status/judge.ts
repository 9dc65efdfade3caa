// From readings to lines: each says one thing, whether that is well, and what to do where it is not. Pure, so that what a night on call
// is decided by can be tested.
import { toRfc3339 } from '../platform/clock.ts'
import { functionLine } from './judge-functions.ts'
import { COMPACTION_HOURS_LEFT_MAX, COMPACTION_SILENT_MAX_MS, type StatusLimits } from './limits.ts'
import { type Counted, isRead, type ModelReading, type Reading, type Readings } from './readings.ts'
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
    snapshotLine(readings, limits),
    definitionsLine(readings),
  ]
}

export function isHealthy(lines: readonly StatusLine[]): boolean {
  return lines.every(({ verdict }) => verdict === 'well')
}

/** Of the six functions a team may leave out these. */
const OPTIONAL_FUNCTIONS: ReadonlySet<string> = new Set(['serve', 'ingest', 'snapshot', 'compact'])

function isMissingOption(key: string, deployed: Reading<unknown>): boolean {
  return OPTIONAL_FUNCTIONS.has(key) && isRead(deployed) && deployed.value === undefined
}

function freshnessLine({ newestArchivedMs, nowMs }: Readings): StatusLine {
  const name = 'freshness'
  return lineOf(name, newestArchivedMs, arrivalMs =>
    well(
      name,
      arrivalMs === undefined
        ? 'the archive has no event of the last week'
        : `the newest archived event arrived ${ageText(nowMs - arrivalMs)} ago`,
    ),
  )
}

function deadLettersLine({ deadLetters }: Readings, limits: StatusLimits): StatusLine {
  const name = 'dead-letters'
  return lineOf(name, deadLetters, ({ count, isComplete, reasons }) => {
    if (count === 0)
      return isComplete ? well(name, 'none open') : notLooked(name, 'millrace deadletters list --limit 0')
    const parts = reasons.map(({ reason, count: own, owners }) =>
      owners.length === 0 ? `${reason} ${own}` : `${reason} ${own} (${owners.join(', ')})`,
    )
    const text = `${counted({ count, isComplete })} open: ${parts.join(', ')}`
    if (count <= limits.deadLetters && isComplete) return well(name, text)
    return unwell(name, text, 'millrace deadletters list, then mend the cause and replay them')
  })
}

function givenUpLine({ givenUp, nowMs }: Readings): StatusLine {
  const name = 'given-up'
  return lineOf(name, givenUp, ({ newestMs, ...found }) => {
    if (found.count === 0)
      return found.isComplete ? well(name, 'no batch') : notLooked(name, 'millrace deadletters list')
    const newest = newestMs === undefined ? '' : `, the newest ${ageText(nowMs - newestMs)} ago`
    const text = `${counted(found)} batches that Lambda stopped retrying${newest}`
    return unwell(name, text, 'millrace backfill --dead-letters given-up, once the function works')
  })
}

function doubtLine({ doubt }: Readings): StatusLine {
  const name = 'doubt'
  return lineOf(name, doubt, found => {
    if (found.count === 0) return found.isComplete ? well(name, 'none') : notLooked(name, 'millrace backfill --doubt')
    return unwell(name, `${counted(found)} events of users that wait for a rebuild`, 'millrace backfill --doubt')
  })
}

function notLooked(name: string, next: string): StatusLine {
  return unwell(name, 'none among those that there was time to look at; give more with --patience', next)
}

function counted({ count, isComplete }: Counted): string {
  return isComplete ? countText(count) : `more than ${countText(count)}`
}

function compactionLine({ hoursLeft, functions, nowMs, sinceMs }: Readings): StatusLine {
  const name = 'compaction'
  return lineOf(name, hoursLeft, hours => {
    const own = functions.find(({ key }) => key === 'compact')
    const isQuiet = own !== undefined && isRead(own.measured) && own.measured.value.invocations === 0
    const updatedMs = own !== undefined && isRead(own.deployed) ? own.deployed.value?.updatedMs : undefined
    const [spanMs, oldMs] = [nowMs - sinceMs, nowMs - (updatedMs ?? nowMs)]
    if (isQuiet && spanMs >= COMPACTION_SILENT_MAX_MS && oldMs >= COMPACTION_SILENT_MAX_MS) {
      return unwell(name, `did not run in ${ageText(spanMs)}`, 'look at its schedule; millrace archive compact does it')
    }
    if (hours === undefined) return well(name, 'no hours left behind')
    const text = `${countText(hours)} hours left to compact`
    return hours > COMPACTION_HOURS_LEFT_MAX ? unwell(name, text, 'millrace archive compact') : well(name, text)
  })
}

function modelLine({ name: model, owner, production }: ModelReading, nowMs: number): StatusLine {
  const name = `model.${model}`
  return lineOf(name, production, entry => {
    if (entry === undefined) return well(name, `none in production (${owner})`)
    const { batchId, kind, at, who } = entry
    const how = kind === 'rollback' ? 'by a rollback of' : 'by'
    return well(name, `${batchId} in production for ${ageText(nowMs - at)}, ${how} ${who}`)
  })
}

function snapshotLine({ snapshot, functions, nowMs }: Readings, { snapshotAgeMs }: StatusLimits): StatusLine {
  const name = 'snapshot'
  return lineOf(name, snapshot, found => {
    if (found === undefined) {
      const own = functions.find(({ key }) => key === 'snapshot')
      const deployed = own !== undefined && isRead(own.deployed) ? own.deployed.value : undefined
      const isNew = deployed?.updatedMs === undefined || nowMs - deployed.updatedMs <= snapshotAgeMs
      return isNew ? well(name, 'none yet') : unwell(name, 'none was ever taken', 'millrace snapshot run')
    }
    const { partition, batchId, at, rows } = found
    const text = `${batchId} of ${partition}, ${countText(rows)} rows, ${ageText(nowMs - at)} ago`
    return nowMs - at <= snapshotAgeMs ? well(name, text) : unwell(name, text, 'millrace snapshot run')
  })
}

/** Never unwell: a folder that is being worked in differs from what is deployed. */
function definitionsLine({ definitions }: Readings): StatusLine {
  const name = 'definitions'
  return lineOf(name, definitions, ({ recordedAt, isSame }) => {
    if (recordedAt === undefined)
      return well(name, 'none recorded yet; the last step of a deploy is millrace definitions record')
    const since = `recorded at ${toRfc3339(recordedAt)}`
    return well(name, isSame ? `this folder's, ${since}` : `other than this folder's, ${since}; see millrace plan`)
  })
}
