// What became of every record, and whether every stored value follows from that: told from what upstream put, from the archive read
// by hand and from the obvious implementation of features. Nothing here asks the engine what it thinks that it did.
import type { DecodedEvent } from '../../src/event/decoded-event.ts'
import { parseDurationMs } from '../../src/platform/duration.ts'
import { obviousAnswers, valueDiffers } from '../../src/replay/obvious-features.ts'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import { type ArchivedFacts, readArchive } from './read-archive.ts'
import { freshnessProblem } from './check-answer.ts'
import { readable } from './watch.ts'
import type { LoggedRecord, Simulation } from './world.ts'

/** Set aside, and so in nobody's item until it is replayed, rebuilt or repaired. */
const SET_ASIDE = new Set(['late', 'item-corrupt'])
/** Of so many events that may or may not be counted every choice is tried. */
const UNCERTAIN_MAX = 8
/** Ids that an item remembers of one type; the product's RECENT_IDS_MAX. */
const IDS_MAX = 128

/** Problems; none: all is well. `isFinal`: everything that was set aside has been brought in. */
export function judge(simulation: Simulation, isFinal: boolean): string[] {
  const facts = readArchive(simulation.archiveBucket)
  const problems = [...archiveProblems(simulation, facts), ...simulation.log.flatMap(logged => outcomeProblem(logged))]
  const users = new Set(simulation.log.flatMap(({ event }) => event?.userId ?? []))
  for (const userId of users) problems.push(...userProblems(simulation, facts, userId, isFinal))
  for (const userId of simulation.table.items.keys()) {
    if (!users.has(userId)) problems.push(`there is an item of ${userId}, who has no event`)
  }
  return problems

  /** Exactly the letters that it must have. */
  function outcomeProblem(logged: LoggedRecord): string[] {
    const { event, reason } = logged
    const key = keyOf(logged)
    const letters = facts.letters.get(key) ?? new Set()
    const isOpen = letters.size > 0 && !facts.closed.has(key)
    if (event === undefined) {
      const isRight = letters.size === 1 && letters.has(reason ?? '') && isOpen
      // A batch that was given up is worked off in the end, and what no rebuild can count is a letter then.
      if (isRight || (!isFinal && letters.size === 0 && facts.givenUp.has(key))) return []
      return [`${key} must be a dead letter ${reason} and is ${[...letters].join(', ') || 'none'}`]
    }
    const wrong = [...letters].filter(each => !SET_ASIDE.has(each))
    if (wrong.length > 0) return [`${key}, an event, is a dead letter ${wrong.join(', ')}`]
    if (isFinal && isOpen) return [`${key} is still a dead letter ${[...letters].join(', ')}`]
    if (letters.has('item-corrupt') && !simulation.damaged.has(event.userId)) return [`${key}: no item was damaged`]
    if (letters.has('late') && !mayBeLate(simulation, logged)) return [`${key} is a dead letter late and was not late`]
    return []
  }
}

export function keyOf({ record }: LoggedRecord): string {
  return `${record.shard}/${record.sequence}`
}

function archiveProblems({ log }: Simulation, { raw }: ArchivedFacts): string[] {
  const problems = log
    .filter(logged => raw.get(keyOf(logged)) !== logged.dataBase64)
    .map(logged => `${keyOf(logged)} is not in the archive as it was put`)
  return raw.size === log.length ? problems : [...problems, `the archive has ${raw.size} records of ${log.length}`]
}

/** Only what the item no longer remembers: older than the lateness, or than the newest ids that it has place for. */
function mayBeLate({ log, settings }: Simulation, { event }: LoggedRecord): boolean {
  if (event === undefined) return false
  const latenessMs = parseDurationMs(settings.lateness)
  const others = log.flatMap(each => {
    const isOther = each.event?.userId === event.userId && each.event.type === event.type
    return isOther && each.event !== undefined ? [each.event] : []
  })
  const newer = new Set(others.filter(({ ts }) => ts >= event.ts).map(({ idHash }) => idHash))
  return newer.size >= IDS_MAX || others.some(({ ts }) => ts - latenessMs > event.ts)
}

interface Counted {
  readonly certain: readonly DecodedEvent[]
  /** Counted or not, by what nobody but the item can tell. */
  readonly uncertain: readonly DecodedEvent[]
}

function countedEvents(simulation: Simulation, facts: ArchivedFacts, userId: string, isFinal: boolean): Counted {
  const { log, table } = simulation
  const byId = new Map<string, LoggedRecord[]>()
  for (const logged of log) {
    if (logged.event?.userId !== userId) continue
    const same = byId.get(logged.event.idHash) ?? []
    same.push(logged)
    byId.set(logged.event.idHash, same)
  }
  const item = table.items.get(userId)
  const types = (item === undefined ? undefined : readable(item))?.dedup.types
  const known = new Set([...(types?.values() ?? [])].flatMap(({ ids }) => ids.map(({ idHash }) => idHash)))
  const [certain, uncertain]: [DecodedEvent[], DecodedEvent[]] = [[], []]
  for (const [idHash, records] of byId) {
    const event = records[0]?.event as DecodedEvent
    const states = records.map(logged => recordState(simulation, facts, keyOf(logged)))
    if (isFinal || states.includes('in') || known.has(idHash)) certain.push(event)
    else if (states.includes('unknown')) uncertain.push(event)
  }
  return { certain, uncertain }
}

/**
 * A batch that is given up may have been applied in part, what is in doubt may have been skipped, and a rebuild or a replay counts what
 * was set aside before it closes the letter.
 */
function recordState({ faults }: Simulation, facts: ArchivedFacts, key: string): 'in' | 'out' | 'unknown' {
  if (facts.closed.has(key)) return 'in'
  if (facts.givenUp.has(key)) return 'unknown'
  if (facts.letters.has(key)) {
    const isBroughtIn = (['backfill', 'repair', 'replay of letters'] as const).some(each => faults.fired.has(each))
    return isBroughtIn ? 'unknown' : 'out'
  }
  return facts.doubt.has(key) && !facts.cleared.has(key) ? 'unknown' : 'in'
}

function userProblems(simulation: Simulation, facts: ArchivedFacts, userId: string, isFinal: boolean): string[] {
  const { certain, uncertain } = countedEvents(simulation, facts, userId, isFinal)
  const attributes = simulation.table.items.get(userId)
  if (attributes === undefined) {
    return certain.length === 0 ? [] : [`${userId} has ${certain.length} events and no item`]
  }
  const item = readable(attributes)
  if (item === undefined) return simulation.damaged.has(userId) && !isFinal ? [] : [`the item of ${userId} is damaged`]
  const { features } = item.bodies
  const stale = freshnessProblem(item.stored, item.bodies, simulation.live)
  const problems = stale === undefined ? [] : [`${userId}: ${stale}`]
  if (isFinal && features.pending !== undefined) problems.push(`${userId}: ${JSON.stringify(features.pending)}`)
  if (uncertain.length > UNCERTAIN_MAX) return problems
  let different: string | undefined
  for (let choice = 0; choice < 2 ** uncertain.length; choice++) {
    const chosen = uncertain.filter((_, index) => (choice >> index) & 1)
    different = differences(simulation, features, [...certain, ...chosen], attributes['definitions']?.S ?? '')
    if (different === undefined) return problems
  }
  return [...problems, `${userId} (${certain.length} events, ${uncertain.length} uncertain): ${different}`]
}

function differences(
  { deployed }: Simulation,
  { asOf, values, pending = {} }: FeaturesBody,
  events: readonly DecodedEvent[],
  definitions: string,
): string | undefined {
  const newestMs = Math.max(...events.map(({ ts }) => ts))
  if (asOf !== newestMs) return `the newest event is of ${newestMs} and the values are as of ${asOf}`
  const { pipeline } = deployed.before.definitions === definitions ? deployed.before : deployed.after
  for (const [name, { value, allowance }] of Object.entries(obviousAnswers(pipeline.features, events, asOf))) {
    const feature = pipeline.features.features[name]
    if (feature === undefined || name in pending) continue
    const stored = values[name]
    if (valueDiffers(feature, stored, value, allowance)) {
      return `${name} is ${JSON.stringify(stored)} and not ${JSON.stringify(value)}`
    }
  }
  return undefined
}
