// `npm run drill -- NAME`: makes a failure for real in a deployment on this machine, looks at it as the person on call does, does what
// docs/runbook.md says, and exits 0 only where all that must hold then holds.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../src/platform/clock.ts'
import { SECOND_MS } from '../src/platform/duration.ts'
import { MillraceError } from '../src/platform/errors.ts'
import { DRILLS } from './all.ts'
import { type Asked, askedOf, HELP_LINES, listLines } from './asked.ts'
import type { Drill } from './drill.ts'
import { startLocalWorld } from './local-world.ts'
import { tellStory } from './story.ts'

const RUNBOOK_FILE = join(import.meta.dirname, '..', 'docs', 'runbook.md')

const asked = askedOf(process.argv.slice(2), DRILLS)
if ('problem' in asked) {
  console.error(`${asked.problem}\n\n${HELP_LINES.join('\n')}`)
  process.exitCode = 2
} else if (asked.kind === 'help') {
  console.log([...HELP_LINES, '', ...listLines(DRILLS)].join('\n'))
} else if (asked.kind === 'list') {
  const json = DRILLS.map(({ name, summary }) => ({ name, summary }))
  console.log(asked.isJson ? JSON.stringify(json) : listLines(DRILLS).join('\n'))
} else {
  process.exitCode = await runAll(asked)
}

async function runAll(options: Extract<Asked, { readonly kind: 'run' }>): Promise<number> {
  let exitCode = 0
  for (const drill of options.drills) if (!(await runOne(drill, options))) exitCode = 1
  return exitCode
}

/** Whether it held. */
async function runOne(drill: Drill, { isJson, isBroken }: Extract<Asked, { readonly kind: 'run' }>): Promise<boolean> {
  // With --json the story is for who watches.
  const story = tellStory(isJson ? process.stderr : process.stdout)
  const startMs = systemClock()
  story.chapter(`Drill ${drill.name}. ${drill.summary}`)
  story.say('Packaging and starting the local cloud ...')
  const world = await startLocalWorld(drill, { story, runbook: readFileSync(RUNBOOK_FILE, 'utf8'), isBroken })
  let problem: string | undefined
  try {
    await drill.run(world)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    problem = `${error.message}${error.next === undefined ? '' : `. ${error.next}`}`
  } finally {
    await world.stop()
  }
  const seconds = Math.round((systemClock() - startMs) / SECOND_MS)
  const isHeld = problem === undefined
  const { checks, commands } = story
  if (isJson)
    console.log(JSON.stringify({ drill: drill.name, isHeld, problem: problem ?? null, seconds, checks, commands }))
  else
    console.log(`\n${drill.name}: ${isHeld ? `held, ${checks.length} checks` : `NOT held. ${problem}`}, ${seconds} s`)
  return isHeld
}
