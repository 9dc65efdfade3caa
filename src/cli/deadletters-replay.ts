// `millrace deadletters replay`: records that were set aside, sent again now that the reason is gone. A preview says what would become
// of them; it ends with 1 where letters are left open.
import { createPredictor } from '../compose/predictor.ts'
import { systemRandom } from '../platform/random.ts'
import { MINUTE_MS } from '../platform/duration.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import type { DeadLetter } from '../archive/dead-letters.ts'
import { listLetters } from '../archive/letters.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import type { LetterChoice } from '../replay/replay-letters-choice.ts'
import { type LetterEnd, LETTER_ENDS, lettersLeft, type ReasonCounts } from '../replay/replay-letters-counts.ts'
import { type ReplayReport, replayLetters } from '../replay/replay-letters.ts'
import { previewLetters } from '../replay/replay-letters-preview.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { durationOption } from './durations.ts'
import { CommandError, UsageError } from './errors.ts'
import { withHistoryViews } from './history-views.ts'
import { instantOption, LETTER_FILTER_OPTIONS, reasonOption } from './letter-filter.ts'
import { checkLetterName, isNamed, letterName, onlyLetter } from './letter-names.ts'
import type { Progress } from './progress.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const WAIT_DEFAULT_MS = 10 * MINUTE_MS
const RATE_MAX = 100_000
const BY = 'millrace deadletters replay'

export const command: Command = {
  name: 'deadletters replay',
  summary: 'Apply records that could not be applied, now that the reason is gone.',
  positionals: ['letters...'],
  options: {
    ...LETTER_FILTER_OPTIONS,
    type: { type: 'string', value: 'TYPE', description: 'Only events of this type.' },
    preview: { type: 'boolean', description: 'Show what would become of them, and touch nothing; as --dry-run does.' },
    'accept-future': {
      type: 'boolean',
      description: 'Judge events that were ahead of their arrival by now: they count from then on.',
    },
    yes: { type: 'boolean', description: 'Needed to replay all there are, where nothing else narrows them.' },
    rate: {
      type: 'string',
      value: 'N',
      description: 'Write so many users a second at most. Default: as fast as it goes.',
    },
    wait: {
      type: 'string',
      value: 'DURATION',
      description: 'How long to wait until the archive is as far as the items of users that are rebuilt. Default: 10m.',
    },
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const asked = askedOf(context, args)
    const report = await withConnection(context, args, async (connection, pipeline) => {
      const choice = await choiceOf(connection.archive, asked)
      const compiled = compilePipeline(pipeline)
      const predictor = createPredictor(compiled, { ...connection, refreshMs: Number.POSITIVE_INFINITY, onError: fail })
      return withHistoryViews(connection, pipeline.name, async views => {
        const { clock } = context
        const deps = { ...connection, ...views, clock, compiled, predictor, random: systemRandom }
        const request = { ...asked, choice, by: BY, onProgress: progressOf(context) }
        return asked.isPreview ? previewLetters(request, deps) : replayLetters(request, deps)
      })
    })
    const left = asked.isPreview ? 0 : lettersLeft(report.byReason)
    const { letters, byReason, rebuild } = report
    const json = { isPreview: asked.isPreview, letters, byReason, left, rebuild: rebuild ?? null }
    context.result(json, () => describe(report, asked.isPreview))
    if (left > 0) {
      throw new CommandError(`${left} letters are still open`, {
        code: 'letters-left',
        next: 'The lines above say why; run it again for those that wait for the archive or could not be written. Whom the archive will never reach, `millrace verify` calls unarchived, and `millrace backfill --user ID --accept-loss` rebuilds first.',
      })
    }
  },
}

interface Asked {
  readonly filter: Omit<LetterChoice, 'records'>
  readonly names: readonly string[]
  readonly isFutureAccepted: boolean
  readonly isPreview: boolean
  readonly writesPerSecond: number | undefined
  readonly waitMs: number
}

function askedOf(context: CommandContext, args: CommandArguments): Asked {
  const names = args.rest().map(checkLetterName)
  const filter = {
    reason: reasonOption(args),
    type: args.text('type'),
    fromMs: instantOption(args, 'from'),
    toMs: instantOption(args, 'to'),
  }
  const isPreview = args.flag('preview') || context.isDryRun
  const isNarrowed = names.length > 0 || Object.values(filter).some(value => value !== undefined)
  if (!isPreview && !isNarrowed && !args.flag('yes')) {
    throw new UsageError(
      'This would replay all letters there are',
      'Look at it with --preview, then narrow it by --reason, --type, --from, --to or names, or say --yes.',
    )
  }
  return {
    filter,
    names,
    isFutureAccepted: args.flag('accept-future'),
    isPreview,
    writesPerSecond: args.wholeNumber('rate', { min: 1, max: RATE_MAX }),
    waitMs: durationOption(args, 'wait') ?? WAIT_DEFAULT_MS,
  }
}

/** A name that nothing open has is a mistake, and nothing is done. Throws CommandError. */
async function choiceOf(archive: ObjectStore, { filter, names }: Asked): Promise<LetterChoice> {
  if (names.length === 0) return filter
  const found = new Map(names.map(name => [name, new Array<DeadLetter>()]))
  for await (const letter of listLetters(archive, { isWithoutGivenUpData: true })) {
    for (const name of names) if (isNamed(letter, name)) found.get(name)?.push({ ...letter, dataBase64: '' })
  }
  return { ...filter, records: new Set([...found].map(([name, own]) => letterName(onlyLetter(own, name)))) }
}

function progressOf(context: CommandContext): (done: number, total: number) => void {
  let progress: Progress | undefined
  let shown = 0
  return (done, total) => {
    progress ??= context.progress('letters', total)
    progress.advance(done - shown)
    shown = done
    if (done >= total) progress.done()
  }
}

const WORDS: Readonly<Record<LetterEnd, { readonly preview: string; readonly done: string }>> = {
  folded: { preview: 'would be folded', done: 'folded' },
  duplicate: { preview: 'are there already, their users would be rebuilt', done: 'were there already' },
  rebuild: { preview: 'need a rebuild of their users', done: 'needed a rebuild of their users' },
  refused: { preview: 'would be refused again', done: 'refused again' },
  left: { preview: 'cannot be judged yet: the archive does not have them', done: 'not in the archive, or not written' },
}

function describe({ letters, byReason, rebuild }: ReplayReport, isPreview: boolean): string[] {
  if (letters === 0) return ['There are no such letters.']
  const waiting = rebuild?.waiting ?? 0
  return [
    ...Object.entries(byReason).flatMap(([reason, counts]) => reasonLines(reason, counts, isPreview)),
    ...(waiting === 0 ? [] : [`${waiting} users wait for the archive, which does not have their newest events yet`]),
    ...(isPreview ? ['Nothing was touched.'] : []),
  ]
}

function reasonLines(reason: string, counts: Readonly<ReasonCounts>, isPreview: boolean): string[] {
  const ends = LETTER_ENDS.filter(end => counts[end] > 0).map(
    end => `  ${counts[end]} ${WORDS[end][isPreview ? 'preview' : 'done']}`,
  )
  const rebuilt = counts.rebuilt === 0 ? [] : [`  ${counts.rebuilt} counted by a rebuild and closed`]
  const { firstRefusal } = counts
  const first = firstRefusal === null ? [] : [`  the first refusal: ${firstRefusal.reason}: ${firstRefusal.detail}`]
  return [`${reason}: ${counts.letters} letters`, ...ends, ...rebuilt, ...first]
}

function fail(error: unknown): void {
  throw error
}
