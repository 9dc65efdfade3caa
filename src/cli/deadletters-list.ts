// `millrace deadletters list`: what could not be applied and still is not, how much of it for which reason, and the records
// themselves. Counts are of all reasons, so that a mistyped --reason shows beside what there is; so is that of the batches that
// Lambda gave up on.
import { type DeadLetter, letterLine, listDeadLetters } from '../archive/dead-letters.ts'
import { countGivenUp, GIVEN_UP_PREFIX, type GivenUp } from '../archive/given-up.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command } from './command.ts'
import { UsageError } from './errors.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const LIMIT_DEFAULT = 100
/** All are held until they are printed; each may be a megabyte. */
const LIMIT_MAX = 10_000

export const command: Command = {
  name: 'deadletters list',
  summary: 'Show the records that could not be applied, and why.',
  positionals: [],
  options: {
    reason: {
      type: 'string',
      value: 'REASON',
      description: 'Only those with this reason: late, contract, future, ...',
    },
    from: {
      type: 'string',
      value: 'TIME',
      description: 'Only those that arrived at or after this instant (RFC 3339).',
    },
    to: { type: 'string', value: 'TIME', description: 'Only those that arrived before this instant (RFC 3339).' },
    all: { type: 'boolean', description: 'Also those that a rebuild has counted and so closed.' },
    limit: { type: 'string', value: 'N', description: `Show so many at most. Default: ${LIMIT_DEFAULT}.` },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const query: LettersQuery = {
      reason: args.text('reason'),
      fromMs: instant(args, 'from'),
      toMs: instant(args, 'to'),
      isAll: args.flag('all'),
      limit: args.wholeNumber('limit', { min: 0, max: LIMIT_MAX }) ?? LIMIT_DEFAULT,
    }
    const { found, givenUp, bucket } = await withConnection(context, args, async ({ archive, names }) => ({
      found: await findLetters(archive, query),
      givenUp: await countGivenUp(archive),
      bucket: names.archiveBucket,
    }))
    const json = {
      counts: Object.fromEntries(found.counts),
      matching: found.matching,
      letters: found.letters.map(letterLine),
      givenUp: { count: givenUp.count, newest: newestOf(givenUp) ?? null },
    }
    context.result(json, () => [...describe(found), ...describeGivenUp(givenUp, bucket)])
  },
}

interface LettersQuery {
  readonly reason: string | undefined
  readonly fromMs: number | undefined
  readonly toMs: number | undefined
  readonly isAll: boolean
  readonly limit: number
}

interface FoundLetters {
  /** By reason, of all reasons. */
  readonly counts: ReadonlyMap<string, number>
  /** How many have the wanted reason. */
  readonly matching: number
  /** The first of those. */
  readonly letters: readonly DeadLetter[]
}

async function findLetters(archive: ObjectStore, { reason, limit, ...filter }: LettersQuery): Promise<FoundLetters> {
  const counts = new Map<string, number>()
  const letters: DeadLetter[] = []
  let matching = 0
  for await (const letter of listDeadLetters(archive, filter)) {
    counts.set(letter.reason, (counts.get(letter.reason) ?? 0) + 1)
    if (reason !== undefined && letter.reason !== reason) continue
    matching++
    if (letters.length < limit) letters.push(letter)
  }
  return { counts, matching, letters }
}

function describe({ counts, matching, letters }: FoundLetters): string[] {
  if (counts.size === 0) return ['There are no dead letters.']
  const byCount = [...counts].sort((a, b) => b[1] - a[1])
  const totals = byCount.map(([reason, count]) => `${reason} ${count}`).join(', ')
  const rows = letters.map(({ arrivalMs, reason, stream, shard, sequence, detail, closedBy }) => [
    toRfc3339(arrivalMs),
    closedBy === undefined ? reason : `${reason} (closed)`,
    `${stream}/${shard}/${sequence}`,
    detail,
  ])
  const shown = letters.length === matching ? '' : `, the first ${letters.length} of ${matching} below`
  return [`Dead letters: ${totals}${shown}.`, ...aligned([['ARRIVED', 'REASON', 'RECORD', 'DETAIL'], ...rows])]
}

function describeGivenUp(givenUp: GivenUp, bucket: string): string[] {
  if (givenUp.count === 0) return []
  const where = `s3://${bucket}/${GIVEN_UP_PREFIX}`
  return [
    `given-up: ${givenUp.count} whole batches that Lambda stopped retrying, the newest at ${newestOf(givenUp)}, below ${where}.`,
  ]
}

function newestOf({ newestMs }: GivenUp): string | undefined {
  return newestMs === undefined ? undefined : toRfc3339(newestMs)
}

/** Columns as wide as their widest cell. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 1) return []
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function instant(args: CommandArguments, option: 'from' | 'to'): number | undefined {
  const text = args.text(option)
  if (text === undefined) return undefined
  const ms = parseRfc3339Ms(text)
  if (ms === undefined) throw new UsageError(`--${option} is "${text}"`, 'Write it as 2026-01-02T03:04:05Z.')
  return ms
}
