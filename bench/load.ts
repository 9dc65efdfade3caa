// `npm run bench:load`: a load held for minutes through the local cloud, or with `--memory` through the same mapping with ports in
// memory. `--minutes N`; with --memory `--seconds N` and `--users N`. It exits 1 where a bound is broken.
import { parseArgs } from 'node:util'
import { loadCloud } from './load-cloud.ts'
import { loadMemory } from './load-memory.ts'
import { judgeLoad } from './load-report.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '30' },
    users: { type: 'string', default: '100' },
    memory: { type: 'boolean', default: false },
  },
})

const { lines, broken } = values.memory
  ? await loadMemory({ seconds: Number(values.seconds), users: Number(values.users) })
  : judgeLoad(await loadCloud(Number(values.minutes), say))
for (const line of lines) say(line)
for (const bound of broken) say(`BROKEN: ${bound}`)
process.exitCode = broken.length > 0 ? 1 : 0

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
