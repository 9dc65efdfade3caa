// `millrace features preview`: one user's features from a file of events, with no cloud and nothing stored. The way to see what
// a definition does before it is deployed.
import { resolve } from 'node:path'
import type { DecodedEvent, Refusal } from '../event/decoded-event.ts'
import { isRefusal } from '../event/decode.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import { evaluateFeatures } from '../features/evaluate.ts'
import type { FeaturesBody } from '../features/features-body.ts'
import { foldState } from '../features/state.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { type CompiledPipeline, compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Command } from './command.ts'
import { CommandError, UsageError } from './errors.ts'
import { loadPipeline } from './load-pipeline.ts'
import { readEventsFile } from './read-events-file.ts'

/** Lines shown of those that were refused, and users of those that the file has; the rest is counted. */
const SHOWN_MAX = 20

export const command: Command = {
  name: 'features preview',
  summary: "Show one user's features from a file of events, with no cloud at all.",
  positionals: [],
  options: {
    user: { type: 'string', value: 'ID', required: true, description: 'Whose features.' },
    events: {
      type: 'string',
      value: 'FILE',
      required: true,
      description: 'NDJSON (an event a line) or JSON (an array); .gz too.',
    },
    at: {
      type: 'string',
      value: 'TIME',
      description: 'At this instant, later events left out (RFC 3339). Default: the newest event.',
    },
  },
  async run(context, args) {
    const userId = args.requiredText('user')
    const path = args.requiredText('events')
    const untilMs = parseInstant(args.text('at'))
    const compiled = compilePipeline(await loadPipeline(context.cwd))
    const found = await collectUser(resolve(context.cwd, path), compiled, { userId, untilMs })
    const { events, refusedLines, users: _, ...counts } = found
    if (events.length === 0) throw noEvents(userId, path, found)
    const { state, at } = foldState({
      plan: compiled.features,
      state: undefined,
      previousAt: undefined,
      previousVersion: undefined,
      events,
    })
    const body = evaluateFeatures(compiled.features, state, at, untilMs ?? at)
    const lines = refusedLines.map(line => ({ ...line }))
    context.result({ user: userId, ...body, events: { folded: events.length, ...counts, refusedLines: lines } }, () =>
      describe(userId, body, found),
    )
  },
}

function parseInstant(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = parseRfc3339Ms(text)
  if (ms === undefined) throw new UsageError(`--at is "${text}"`, 'Write it as 2026-01-02T03:04:05Z.')
  return ms
}

interface RefusedLine extends Refusal {
  readonly line: number
}

interface Found {
  readonly events: readonly DecodedEvent[]
  readonly duplicates: number
  /** Of this user, after `--at`. */
  readonly later: number
  readonly ofOtherUsers: number
  readonly refused: number
  readonly refusedLines: readonly RefusedLine[]
  readonly users: readonly string[]
}

interface Wanted {
  readonly userId: string
  readonly untilMs: number | undefined
}

async function collectUser(path: string, { contracts }: CompiledPipeline, { userId, untilMs }: Wanted): Promise<Found> {
  const events = new Map<string, DecodedEvent>()
  const users = new Set<string>()
  const refusedLines: RefusedLine[] = []
  const counts = { duplicates: 0, later: 0, ofOtherUsers: 0, refused: 0 }
  for await (const { line, decoded } of readEventsFile(path, contracts)) {
    if (isRefusal(decoded)) {
      counts.refused++
      if (refusedLines.length < SHOWN_MAX) refusedLines.push({ line, ...decoded })
      continue
    }
    if (users.size < SHOWN_MAX) users.add(decoded.userId)
    if (decoded.userId !== userId) counts.ofOtherUsers++
    else if (untilMs !== undefined && decoded.ts > untilMs) counts.later++
    else if (events.has(decoded.idHash)) counts.duplicates++
    else events.set(decoded.idHash, decoded)
  }
  return { events: [...events.values()], ...counts, refusedLines, users: [...users] }
}

function noEvents(userId: string, path: string, { users, refusedLines, later }: Found): CommandError {
  const [first] = refusedLines
  const others = users.length === 0 ? 'It has no event that the contracts accept' : `Users in it: ${users.join(', ')}`
  const refused = first === undefined ? '' : ` Line ${first.line}: ${first.detail}`
  return new CommandError(`${path} has no event of "${userId}"${later > 0 ? ' up to that time' : ''}`, {
    code: 'user-without-events',
    next: later > 0 ? `${later} of its events are later; give a later --at.` : `${others}.${refused}`,
  })
}

function describe(userId: string, body: FeaturesBody, found: Found): string[] {
  const names = Object.keys(body.values)
  const width = Math.max(0, ...names.map(name => name.length))
  const { events, duplicates, later, ofOtherUsers, refused, refusedLines } = found
  const aside = [
    duplicates > 0 ? `${duplicates} duplicate` : '',
    later > 0 ? `${later} later` : '',
    ofOtherUsers > 0 ? `${ofOtherUsers} of other users` : '',
    refused > 0 ? `${refused} refused` : '',
  ].filter(text => text !== '')
  return [
    `${userId}: ${events.length} events folded${aside.length > 0 ? ` (beside them ${aside.join(', ')})` : ''}`,
    '',
    ...names.map(name => `  ${name.padEnd(width)}  ${JSON.stringify(body.values[name])}`),
    '',
    `asOf        ${toRfc3339(body.asOf)}`,
    `freshUntil  ${body.freshUntil === undefined ? 'for ever' : toRfc3339(body.freshUntil)}`,
    ...refusedLines.map(({ line, reason, detail }) => `refused line ${line}: ${reason}: ${detail}`),
    ...(refused > refusedLines.length ? [`refused ${refused - refusedLines.length} more`] : []),
  ]
}
