// `millrace deadletters list`: what could not be applied and still is not, how much of it for which reason, and the records
// themselves, what Lambda gave up on among them. Counts are of all reasons, so that a mistyped --reason shows beside what there is.
import { type DeadLetter, letterLine } from '../archive/dead-letters.ts'
import { countGivenUp, GIVEN_UP_PREFIX, type GivenUp } from '../archive/given-up.ts'
import { meaningOf } from '../archive/letter-reasons.ts'
import { listLetters } from '../archive/letters.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { Command } from './command.ts'
import { instantOption, LETTER_FILTER_OPTIONS } from './letter-filter.ts'
import { letterName } from './letter-names.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const LIMIT_DEFAULT = 100
/** All are held until they are printed; each may be a megabyte. */
const LIMIT_MAX = 10_000

export const command: Command = {
  name: 'deadletters list',
  summary: 'Show the records that could not be applied, and why.',
  positionals: [],
  options: {
    ...LETTER_FILTER_OPTIONS,
    all: { type: 'boolean', description: 'Also those that a rebuild or a replay has counted and so closed.' },
    limit: { type: 'string', value: 'N', description: `Show so many at most. Default: ${LIMIT_DEFAULT}.` },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const query: LettersQuery = {
      reason: args.text('reason'),
      fromMs: instantOption(args, 'from'),
      toMs: instantOption(args, 'to'),
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
      givenUp: { count: givenUp.count, newest: newestOf(givenUp) ?? null, unreadable: found.unreadable },
      reasons: Object.fromEntries([...found.counts.keys()].map(reason => [reason, meaningOf(reason) ?? null])),
    }
    context.result(json, () => [...describe(found), ...describeGivenUp(givenUp, found, bucket)])
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
  /** Keys of objects of given-up batches that are not what Lambda writes. */
  readonly unreadable: readonly string[]
}

async function findLetters(archive: ObjectStore, { reason, limit, ...filter }: LettersQuery): Promise<FoundLetters> {
  const counts = new Map<string, number>()
  const letters: DeadLetter[] = []
  const unreadable: string[] = []
  let matching = 0
  const onUnreadable = (key: string): void => void unreadable.push(key)
  for await (const letter of listLetters(archive, { ...filter, onUnreadable })) {
    counts.set(letter.reason, (counts.get(letter.reason) ?? 0) + 1)
    if (reason !== undefined && letter.reason !== reason) continue
    matching++
    if (letters.length < limit) letters.push(letter)
  }
  return { counts, matching, letters, unreadable }
}

function describe({ counts, matching, letters }: FoundLetters): string[] {
  if (counts.size === 0) return ['There are no dead letters.']
  const byCount = [...counts].sort((a, b) => b[1] - a[1])
  const totals = byCount.map(([reason, count]) => `${reason} ${count}`).join(', ')
  const rows = letters.map(({ arrivalMs, reason, stream, shard, sequence, detail, closedBy }) => [
    toRfc3339(arrivalMs),
    closedBy === undefined ? reason : `${reason} (closed)`,
    letterName({ stream, shard, sequence }),
    detail,
  ])
  const shown = letters.length === matching ? '' : `, the first ${letters.length} of ${matching} below`
  return [
    `Dead letters: ${totals}${shown}.`,
    ...aligned([['ARRIVED', 'REASON', 'RECORD', 'DETAIL'], ...rows]),
    ...describeReasons(letters),
  ]
}

/** Of the reasons that are shown. */
function describeReasons(letters: readonly DeadLetter[]): string[] {
  const reasons = [...new Set(letters.filter(({ closedBy }) => closedBy === undefined).map(({ reason }) => reason))]
  return reasons.flatMap(reason => {
    const known = meaningOf(reason)
    return known === undefined ? [] : [`${reason}: ${known.meaning} ${known.next}`]
  })
}

function describeGivenUp(givenUp: GivenUp, { unreadable }: FoundLetters, bucket: string): string[] {
  if (givenUp.count === 0) return []
  const where = `s3://${bucket}/${GIVEN_UP_PREFIX}`
  return [
    `given-up: ${givenUp.count} whole batches that Lambda stopped retrying, the newest at ${newestOf(givenUp)}, below ${where}.`,
    ...(unreadable.length === 0
      ? []
      : [
          `${unreadable.length} of them cannot be read, so their records are not among the letters: ${unreadable.join(', ')}`,
        ]),
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
