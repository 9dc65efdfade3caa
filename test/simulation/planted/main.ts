// Plants each bug in a copy of the code and has its killer look for it: `main.ts [--only NAME] [--seeds N] [--file TEST]`. Exits with 1
// where one is alive. First the same killers see the code as it is, and must find nothing: what always fails kills everything.
import { parseArgs } from 'node:util'
import { mapWithLimit } from '../../../src/platform/concurrency.ts'
import { byTest, bySimulation, type Killer, type PlantedBug } from './bug.ts'
import { PLANTED_BUGS } from './bugs.ts'
import { patchedCopy } from './patched-copy.ts'
import { type KillerRun, runKiller, runTests, type Verdict } from './run-killer.ts'

/** Two cores. */
const RUNS_AT_ONCE = 2
/** Of the code as it is, which `test:fault` runs thousands of. */
const CONTROL_SEEDS = 20
const NAME_WIDTH = 48
const BY_WIDTH = 72

const { values } = parseArgs({
  options: {
    /** Bugs whose name has this in it. */
    only: { type: 'string' },
    /** Instead of the bugs' own. */
    seeds: { type: 'string' },
    /** This test file in place of everybody's killer: to see what it finds. */
    file: { type: 'string' },
  },
})
const bugs = PLANTED_BUGS.filter(({ name }) => name.includes(values.only ?? '')).map(bug => ({
  ...bug,
  killedBy: killerOf(bug),
}))
if (bugs.length === 0) throw new Error(`No planted bug has "${values.only}" in its name`)

function killerOf({ killedBy }: PlantedBug): Killer {
  if (values.file !== undefined) return byTest(values.file)
  if (values.seeds === undefined || killedBy.kind === 'test') return killedBy
  return bySimulation(Number(values.seeds), killedBy.fromSeed)
}

const controls = await control()
for (const { outcome, ...more } of controls.filter(({ outcome }) => outcome !== 'alive')) {
  process.stdout.write(`The code as it is does not pass: ${outcome} ${JSON.stringify(more)}\n`)
}
const runs = await mapWithLimit(bugs, RUNS_AT_ONCE, async bug => {
  const run = await runOn(bug)
  process.stdout.write(line(bug, run))
  return run
})
const notKilled = runs.filter(({ verdict }) => verdict.outcome !== 'killed').length
process.stdout.write(`${runs.length} planted bugs, ${runs.length - notKilled} killed\n`)
process.exitCode = notKilled === 0 && controls.every(({ outcome }) => outcome === 'alive') ? 0 : 1

/** Nothing is planted. */
async function control(): Promise<readonly Verdict[]> {
  const copy = patchedCopy([])
  try {
    const files = [...new Set(bugs.flatMap(({ killedBy }) => (killedBy.kind === 'test' ? [killedBy.file] : [])))]
    const isSimulated = bugs.some(({ killedBy }) => killedBy.kind === 'simulation')
    return await Promise.all([
      ...(files.length > 0 ? [runTests(copy.folder, files)] : []),
      ...(isSimulated ? [runKiller(copy.folder, bySimulation(CONTROL_SEEDS)).then(({ verdict }) => verdict)] : []),
    ])
  } finally {
    copy.remove()
  }
}

async function runOn(bug: PlantedBug): Promise<KillerRun> {
  const copy = patchedCopy(bug.patches)
  try {
    return await runKiller(copy.folder, bug.killedBy)
  } finally {
    copy.remove()
  }
}

function line({ name, killedBy }: PlantedBug, { verdict, tookMs }: KillerRun): string {
  const took = `${(tookMs / 1000).toFixed(1)} s`.padStart(7)
  const row = (by: string): string => `${name.padEnd(NAME_WIDTH)} ${by.padEnd(BY_WIDTH)} ${took}\n`
  switch (verdict.outcome) {
    case 'killed':
      return row((killedBy.kind === 'test' ? `${killedBy.file}: ${verdict.by}` : verdict.by).slice(0, BY_WIDTH))
    case 'alive':
      return row('ALIVE')
    case 'broken':
      return `${row('BROKEN')}${verdict.detail}\n`
  }
}
