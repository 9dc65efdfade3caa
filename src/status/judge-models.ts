// The line of a model: what is in production, and whether the functions that ask it have that. One that still has another after a few
// minutes answers with what nobody wants any more.
import { batchIdNumber } from '../catalog/batch-id.ts'
import type { LogEntry } from '../catalog/items.ts'
import { METRIC_PERIOD_MS, MODEL_TAKEN_UP_MAX_MS } from './limits.ts'
import { type FunctionBatches, isRead, type ModelReading } from './readings.ts'
import { lineOf, type StatusLine, unwell, well } from './status-line.ts'
import { ageText } from './texts.ts'

export function modelLine({ name: model, owner, production, batches }: ModelReading, nowMs: number): StatusLine {
  const name = `model.${model}`
  return lineOf(name, production, entry => {
    if (entry === undefined) return well(name, `none in production (${owner})`, { batchId: null, owner })
    const { batchId, kind, at, who } = entry
    const how = kind === 'rollback' ? 'by a rollback of' : 'by'
    const text = `${batchId} in production for ${ageText(nowMs - at)}, ${how} ${who}`
    const values = { batchId, owner, sinceMs: at, who }
    if (!isRead(batches)) {
      const { problem, next } = batches
      const unread = `${text}; what the functions have cannot be read: ${problem}`
      return unwell(name, unread, { verdict: 'unknown', next, values })
    }
    const found = batches.value.map(each => ({ ...each, ...compare(each, entry) }))
    const said = [text, ...functionTexts(found)].join('; ')
    const functions = Object.fromEntries(found.map(({ key, atMs, has }) => [key, { atMs, batches: has.map(String) }]))
    const behind = found.filter(({ state }) => state === 'behind').map(({ key }) => key)
    if (behind.length === 0) return well(name, said, { ...values, functions })
    const next = `look at the log of ${behind.join(' and ')} for why; millrace table rollback models.${model} production BATCH where the version is bad`
    return unwell(name, said, { next, values: { ...values, functions } })
  })
}

interface Compared {
  /** `silent`: said nothing since the batch is in production; `late`: has another, and may for a few minutes more. */
  readonly state: 'current' | 'silent' | 'late' | 'behind'
  /** All that it has, as far as is known. */
  readonly has: readonly number[]
  readonly others: readonly number[]
}

interface ComparedFunction extends FunctionBatches, Compared {}

function compare({ atMs, oldest, newest }: FunctionBatches, { batchId, at }: LogEntry): Compared {
  const has = [...new Set([oldest, newest])]
  const others = has.filter(batch => batch !== batchIdNumber(batchId))
  return { has, others, state: stateOf(others.length > 0, { atMs, at }) }
}

function stateOf(hasOthers: boolean, { atMs, at }: { readonly atMs: number; readonly at: number }): Compared['state'] {
  if (!hasOthers) return 'current'
  if (atMs + METRIC_PERIOD_MS <= at) return 'silent'
  // Whole minutes: what was said at the start of this one may count already.
  return atMs - at >= MODEL_TAKEN_UP_MAX_MS ? 'behind' : 'late'
}

/** `recompute and serve have it` */
function functionTexts(found: readonly ComparedFunction[]): string[] {
  const having = found.filter(({ state }) => state === 'current').map(({ key }) => key)
  const parts = having.length === 0 ? [] : [`${having.join(' and ')} ${having.length === 1 ? 'has' : 'have'} it`]
  return [...parts, ...found.filter(({ state }) => state !== 'current').map(otherText)]
}

function otherText({ key, state, has, others }: ComparedFunction): string {
  if (state === 'silent') return `${key} did not ask it since`
  const which = others.join(' and ')
  return has.length > others.length ? `${key} has ${which} still in some containers` : `${key} has ${which} still`
}
