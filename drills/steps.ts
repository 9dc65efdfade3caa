// The steps that drills have in common: look until the status says it, type what the runbook says, prove that all is as it was and that
// nothing was lost.
import { MINUTE_MS, SECOND_MS } from '../src/platform/duration.ts'
import type { Ran } from './command.ts'
import { commandText } from './command.ts'
import type { DrillWorld } from './drill.ts'
import { isInRunbook, wordsOf } from './runbook.ts'
import { lineNamed, readStatus, type StatusAnswer, whatNeedsSomebody } from './status-answer.ts'
import { DrillFailed } from './story.ts'
import { ARRIVALS_FEATURE, type Traffic } from './traffic.ts'

/** What CloudWatch measures shows by the minute, and a lag that is over for three of them; the next one may be a whole one away. */
const LOOK_MS_MAX = 4 * MINUTE_MS
const LOOK_EVERY_MS = 2 * SECOND_MS
/** Of a command's output: the rest is for who types it himself. */
const LINES_SHOWN_MAX = 12

export interface LookOptions {
  /** Options of `millrace status`. */
  readonly words?: readonly string[]
  /** Before each look but the first, as traffic that goes on. */
  readonly between?: () => Promise<void>
}

/** Resolves with the first answer that is as wanted; undefined where none came in time. */
async function lookUntil(
  world: DrillWorld,
  isWanted: (answer: StatusAnswer, exitCode: number) => boolean,
  { words = [], between }: LookOptions,
): Promise<boolean> {
  const untilMs = world.clock() + LOOK_MS_MAX
  for (;;) {
    const { exitCode, stdout } = await world.millrace(['status', ...words, '--json'])
    const answer = readStatus(stdout)
    const isThere = isWanted(answer, exitCode)
    if (isThere || world.clock() >= untilMs) {
      world.story.typed(commandText(['status', ...words]), exitCode, whatNeedsSomebody(answer))
      return isThere
    }
    await world.sleep(LOOK_EVERY_MS)
    await between?.()
  }
}

/** The status ends with 1, names the line, and says under it what the runbook says. */
export async function seeTrouble(
  world: DrillWorld,
  wanted: { readonly line: string; readonly text: RegExp; readonly next: RegExp },
  options: LookOptions = {},
): Promise<void> {
  const isSeen = await lookUntil(
    world,
    (answer, exitCode) => {
      const line = lineNamed(answer, wanted.line)
      if (line === undefined || line.verdict !== 'unwell' || exitCode !== 1 || answer.isHealthy) return false
      return wanted.text.test(line.text) && wanted.next.test(line.next ?? '')
    },
    options,
  )
  world.story.check(`millrace status ends with 1 and tells it on the line ${wanted.line}, with what to do`, isSeen)
}

export async function seeHealth(world: DrillWorld, claim: string, options: LookOptions = {}): Promise<void> {
  const isSeen = await lookUntil(world, (answer, exitCode) => answer.isHealthy && exitCode === 0, options)
  world.story.check(claim, isSeen)
}

/** Types what the runbook says: `millrace users repair ID` with the ID. */
export async function act(
  world: DrillWorld,
  form: string,
  {
    values = {},
    exitCode = 0,
  }: { readonly values?: Readonly<Record<string, string>>; readonly exitCode?: number } = {},
): Promise<Ran> {
  if (!isInRunbook(world.runbook, form)) {
    throw new DrillFailed(`docs/runbook.md does not say ${form}`, {
      code: 'not-in-runbook',
      next: 'A drill types what the runbook says: write it there, or mend the drill.',
    })
  }
  const ran = await world.millrace(wordsOf(form, values))
  const lines = `${ran.stdout}${ran.exitCode === exitCode ? '' : ran.stderr}`.split('\n')
  const shown = lines.slice(0, LINES_SHOWN_MAX)
  if (lines.length > LINES_SHOWN_MAX + 1) shown.push(`... ${lines.length - LINES_SHOWN_MAX - 1} lines more`)
  world.story.typed(ran.command, ran.exitCode, shown)
  world.story.check(`${form} ends with ${exitCode}`, ran.exitCode === exitCode, `it ended with ${ran.exitCode}`)
  return ran
}

/** Every user's GET counts exactly what was sent for it, each event once. */
export async function proveCounts(world: DrillWorld, traffic: Traffic): Promise<void> {
  const wrong: string[] = []
  let sum = 0
  for (const [userId, sent] of traffic.counts) {
    const { status, body } = await world.get(`/users/${userId}/features`)
    const counted = status === 200 ? arrivalsIn(body) : 0
    sum += counted
    if (counted !== sent) wrong.push(`${userId} has ${counted} of ${sent} (HTTP ${status})`)
  }
  const { size } = traffic.counts
  const claim = `the GETs of all ${size} users count the ${traffic.sent} events that were sent, each once`
  world.story.check(claim, wrong.length === 0 && sum === traffic.sent && size > 0, wrong.slice(0, 3).join(', '))
}

/** By code that shares nothing with the fold. */
export async function proveVerified(world: DrillWorld): Promise<void> {
  await act(world, 'millrace verify --all')
}

function arrivalsIn(body: unknown): number {
  const values = (body as { readonly values?: Readonly<Record<string, unknown>> }).values
  const value = values?.[ARRIVALS_FEATURE]
  return typeof value === 'number' ? value : 0
}
