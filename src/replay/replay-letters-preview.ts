// What a replay of letters would do, user by user, without touching anything: the same plan as a fold makes, on the items as they are.
import { byCodePoint } from '../platform/canonical-json.ts'
import { LineSpool } from '../platform/line-spool.ts'
import { sortLines } from '../platform/sort-lines.ts'
import { affectedUsers } from '../affected/affected-users.ts'
import type { Decision } from '../affected/decide.ts'
import type { Refusal } from '../event/decoded-event.ts'
import { compareSequences } from '../event/stream-record.ts'
import { packItem } from '../recompute/pack-item.ts'
import { planItem } from '../recompute/write-user.ts'
import { predictOne } from '../predictions/predictor.ts'
import { DRY_SPILLS } from '../store/spill-store.ts'
import { type CorruptItem, KEYS_PER_READ_MAX, type StoredItem } from '../store/user-item.ts'
import type { ReplayDependencies, ReplayReport, ReplayRequest } from './replay-letters.ts'
import { type ChosenLetter, chosenLines, readChosenLine, spoolChosen } from './replay-letters-choice.ts'
import { type LetterEnd, ReplayTally } from './replay-letters-counts.ts'
import { withoutFold } from './replay-letters-fold.ts'

type PreviewRequest = Pick<ReplayRequest, 'choice' | 'isFutureAccepted' | 'onProgress'>
type PreviewDependencies = Pick<
  ReplayDependencies,
  'archive' | 'compiled' | 'users' | 'predictor' | 'clock' | 'spoolDir'
>

/** Of payloads and names. A user with more is looked at in several goes, so that repeats among them may count as folds. */
const CHARACTERS_HELD_MAX = 32 * 1024 * 1024
/** Of a letter beside its payload, about. */
const NAMES_CHARACTERS = 512

const ENDS: Readonly<Record<Decision, LetterEnd>> = {
  fold: 'folded',
  duplicate: 'duplicate',
  'below-floor': 'rebuild',
  late: 'rebuild',
}

/** Throws StoreError, ObjectStoreError, ArchiveError. */
export async function previewLetters(request: PreviewRequest, deps: PreviewDependencies): Promise<ReplayReport> {
  const { spoolDir: folder } = deps
  const spool = new LineSpool(folder, 'preview')
  const tally = new ReplayTally()
  const acceptedMs = request.isFutureAccepted === true ? deps.clock() : undefined
  try {
    const letters = await spoolChosen(spool, request.choice, deps)
    let done = 0
    const onEnd = (letter: ChosenLetter, end: LetterEnd, refusal?: Refusal): void => {
      tally.end(letter.reason, end, refusal)
      done++
    }
    const asked = lettersOfItems(spool, { ...deps, acceptedMs, onEnd })
    const sorted = sortLines(asked, { read: readChosenLine, compare: byUser, folder, name: 'by-user' })
    for await (const users of chunksOfUsers(sorted)) {
      const names = new Set(users.flatMap(([first]) => first?.record.partitionKey ?? []))
      const items = await deps.users.loadMany([...names])
      for (const own of users) {
        await previewUser(own, items.get(own[0]?.record.partitionKey ?? ''), { ...deps, acceptedMs, onEnd })
      }
      request.onProgress?.(done, letters)
    }
    return { letters, byReason: tally.counts(), rebuild: undefined }
  } finally {
    spool.remove()
  }
}

interface UserPreview extends PreviewDependencies {
  readonly acceptedMs: number | undefined
  readonly onEnd: (letter: ChosenLetter, end: LetterEnd, refusal?: Refusal) => void
}

/** What ends without an item is told at once, be it a million: of a user only what an item is asked about is held. */
async function* lettersOfItems(spool: LineSpool, deps: UserPreview): AsyncGenerator<Uint8Array> {
  for await (const line of chosenLines(spool)) {
    const letter = readChosenLine(line)
    const end = withoutFold(letter, deps)
    const [refused] = affectedUsers([letter.record], deps.compiled.contracts).refused
    if (end !== undefined) deps.onEnd(letter, end)
    else if (refused !== undefined) deps.onEnd(letter, 'refused', refused.refusal)
    else yield line
  }
}

async function previewUser(
  letters: readonly ChosenLetter[],
  item: StoredItem | CorruptItem | undefined,
  deps: UserPreview,
): Promise<void> {
  const { compiled, onEnd } = deps
  const { byUser: affected } = affectedUsers(
    letters.map(({ record }) => record),
    compiled.contracts,
  )
  // All of one user, so in the order of the letters.
  for (const [userId, records] of affected) {
    const plan = planItem(compiled, { userId, records }, item)
    const tooBig = plan.outcome === 'planned' ? await sizeRefusal(plan, deps) : undefined
    const unfolded = new Set<string>()
    for (const [index, letter] of letters.entries()) {
      const decision = plan.outcome === 'refused' ? undefined : plan.decisions[index]
      const idHash = records[index]?.event.idHash ?? ''
      if (decision === 'fold') unfolded.add(idHash)
      if (plan.outcome === 'refused') onEnd(letter, 'refused', plan.refusal)
      else if (tooBig !== undefined && unfolded.has(idHash)) onEnd(letter, 'refused', tooBig)
      else onEnd(letter, ENDS[decision ?? 'late'])
    }
  }
}

type Planned = Extract<ReturnType<typeof planItem>, { readonly outcome: 'planned' }>

async function sizeRefusal({ user, before, next }: Planned, { compiled, predictor }: UserPreview) {
  const { definitions, pipeline } = compiled
  const content = { userId: user.userId, before, next, definitions, itemBytesMax: pipeline.itemBytesMax }
  const packed = await packItem(content, await predictOne(predictor, next.features), DRY_SPILLS)
  return 'reason' in packed ? packed : undefined
}

function byUser({ record: a }: ChosenLetter, { record: b }: ChosenLetter): number {
  return (
    byCodePoint(a.partitionKey, b.partitionKey) ||
    byCodePoint(`${a.stream}/${a.shard}`, `${b.stream}/${b.shard}`) ||
    compareSequences(a.sequence, b.sequence)
  )
}

/** Letters of whole users, of as many as one read takes and memory holds. */
async function* chunksOfUsers(
  sorted: AsyncIterable<{ readonly item: ChosenLetter }>,
): AsyncGenerator<readonly (readonly ChosenLetter[])[]> {
  let users: ChosenLetter[][] = []
  let held = 0
  for await (const { item } of sorted) {
    const isSame = users.at(-1)?.[0]?.record.partitionKey === item.record.partitionKey
    if (held >= CHARACTERS_HELD_MAX || (!isSame && users.length >= KEYS_PER_READ_MAX)) {
      // Whose letters go on stays whole, unless it fills the memory alone.
      const unfinished = isSame && users.length > 1 ? users.splice(-1) : []
      yield users
      users = unfinished
      held = unfinished.flat().reduce((sum, letter) => sum + charactersOf(letter), 0)
    }
    const own = isSame ? users.at(-1) : undefined
    if (own === undefined) users.push([item])
    else own.push(item)
    held += charactersOf(item)
  }
  if (users.length > 0) yield users
}

function charactersOf({ record }: ChosenLetter): number {
  return record.dataBase64.length + NAMES_CHARACTERS
}
