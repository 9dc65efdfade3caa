// What `millrace verify` found, for people: counts first, then who is wrong and by how much, the worst first.
import type { FeatureValue } from '../features/features-body.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { VerifyReport } from '../replay/verify.ts'
import type { Which } from '../replay/verify-sample.ts'
import type { Difference } from '../replay/verify-user.ts'
import { CommandError } from './errors.ts'
import { plural } from './explain-words.ts'

export function describeReport(report: VerifyReport, which: Which): string[] {
  const { counts, atMs, refusedToday, givenUpUnreadable } = report
  return [
    `${plural(counts.users, 'user')}${describeWhich(which)} against history, as of ${toRfc3339(atMs)}: ${plural(counts.events, 'event')}, ${plural(counts.values, 'value')} compared`,
    '',
    ...countLines(report),
    ...listed(
      'Different, the worst first',
      report.different,
      ({ userId, values, worst }) => `${userId}: ${describeDifference(worst)}${more(values - 1, 'value')}`,
    ),
    ...listed('Missing', report.missing, ({ userId, events }) => `${userId}: ${plural(events, 'event')} in history`),
    ...listed('Extra', report.extra, ({ userId }) => userId),
    ...listed('Corrupt', report.corrupt, ({ userId, detail }) => `${userId}: ${detail}`),
    ...listed('Behind', report.behind, ({ userId, shard }) => `${userId}: ${shard}`),
    ...listed('Unarchived', report.unarchived, ({ userId, shard }) => `${userId}: ${shard}`),
    ...(refusedToday === 0
      ? []
      : ['', `${refusedToday} records of these users are refused by today's contracts and have no dead letter.`]),
    ...(givenUpUnreadable.length === 0
      ? []
      : [
          '',
          `${givenUpUnreadable.length} objects of given-up batches cannot be read: ${givenUpUnreadable.join(', ')}`,
        ]),
  ]
}

/** Undefined where nothing is wrong. */
export function verifyFailure({ counts }: VerifyReport): CommandError | undefined {
  const wrong = (['different', 'missing', 'extra', 'corrupt'] as const).filter(kind => counts[kind] > 0)
  if (wrong.length > 0) {
    return new CommandError(`Not what history says: ${wrong.map(kind => `${counts[kind]} ${kind}`).join(', ')}`, {
      code: 'verify-differs',
      next: '`millrace users explain ID` shows what a user should have; `millrace backfill --user ID` rebuilds one.',
    })
  }
  if (counts.behind === 0) return counts.unarchived === 0 ? undefined : lacking(counts)
  return new CommandError(`The archive is behind ${counts.behind} of ${counts.users} users`, {
    code: 'archive-behind',
    next: 'Wait longer with --wait; if it stays, look at the errors of the function `archive`.',
  })
}

function lacking({ unarchived, users }: VerifyReport['counts']): CommandError {
  return new CommandError(`The archive lacks the last events of ${unarchived} of ${users} users, for good`, {
    code: 'archive-lacks-events',
    next: 'Their shards are gone from the stream, so that only the items have them. `millrace backfill --user ID --accept-loss` gives them up.',
  })
}

function describeWhich(which: Which): string {
  if (which.kind === 'sample') return ` of a sample (seed ${which.seed})`
  return which.kind === 'all' ? ', all there are,' : ', as named,'
}

const MEANINGS = {
  matched: 'stored and served as recomputed',
  different: 'another value, or another newest event',
  missing: 'events in history, and no item',
  extra: 'an item, and no event in history',
  corrupt: 'an item that cannot be read',
  behind: 'an item ahead of the archive: not compared',
  unarchived: 'an item ahead of an archive that gets no more of a shard: cannot be compared',
} as const

function countLines({ counts }: VerifyReport): string[] {
  const width = String(counts.users).length
  const lines = Object.entries(MEANINGS).map(
    ([kind, meaning]) =>
      `  ${kind.padEnd(10)}  ${String(counts[kind as keyof typeof MEANINGS]).padStart(width)}  ${meaning}`,
  )
  if (counts.backfilling === 0) return lines
  return [...lines, '', `  ${counts.backfilling} values are null until they are backfilled, and not compared.`]
}

function listed<Named>(title: string, users: readonly Named[], describe: (user: Named) => string): string[] {
  return users.length === 0 ? [] : ['', `${title}:`, ...users.map(user => `  ${describe(user)}`)]
}

export function describeDifference({ name, source, instantMs, found, recomputed }: Difference): string {
  if (name === 'at') return `its newest event is ${time(found)}, in history it is ${time(recomputed)}`
  return `${name} is ${shown(found)} ${source === 'stored' ? 'as stored' : 'by its state'} at ${toRfc3339(instantMs)}, recomputed ${shown(recomputed)}`
}

function time(value: FeatureValue): string {
  return typeof value === 'number' && Number.isFinite(value) ? toRfc3339(value) : 'none'
}

function shown(value: FeatureValue): string {
  return JSON.stringify(value)
}

function more(count: number, what: string): string {
  return count === 0 ? '' : ` (and ${count} more ${what}${count === 1 ? '' : 's'})`
}
