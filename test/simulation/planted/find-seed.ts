// Seeds one after the other until one fails, and no more of it than its number and why: what a planted bug is looked for with. The history
// of a bug that somebody planted need not be made short. `find-seed.ts FROM SEEDS`.
import { runSeed } from '../run-seed.ts'

const [from, seeds] = process.argv.slice(2).map(Number)
if (from === undefined || seeds === undefined) throw new Error('Usage: find-seed.ts FROM SEEDS')
for (let seed = from; seed < from + seeds; seed++) {
  const { failure } = await runSeed({ seed })
  if (failure === undefined) continue
  process.stdout.write(`seed ${seed} fails: ${failure.replaceAll(/\s+/g, ' ')}\n`)
  process.exit(1)
}
