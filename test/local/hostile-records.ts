// Hostile records through the real functions: each must be folded, found to be a duplicate, or be one dead letter with its reason; no
// shard is held up and no neighbour is harmed. `--records N --through memory|emulators --seed N`; exits 0 when all holds.
import { parseArgs } from 'node:util'
import { throughMemory } from './hostile-in-memory.ts'
import { throughEmulators } from './hostile-on-emulators.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '30000' },
    through: { type: 'string', default: 'memory' },
    seed: { type: 'string', default: '1' },
  },
})
const [records, seed] = [Number(values.records), Number(values.seed)]
const run = values.through === 'emulators' ? throughEmulators : throughMemory
try {
  const { folded, duplicates, deadLetters } = (await run(records, seed, say)).counts()
  const refused = Object.values(deadLetters).reduce((sum, count) => sum + count, 0)
  say(`${folded} folded, ${duplicates} duplicates, ${refused} dead letters, each with its reason:`)
  say(
    Object.entries(deadLetters)
      .map(([reason, count]) => `  ${reason} ${count}`)
      .join('\n'),
  )
} catch (error) {
  say(`FAILED with --records ${records} --through ${values.through} --seed ${seed}`)
  throw error
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
