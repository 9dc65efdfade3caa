// The mirror against moto's Glue, as Athena would find it. Run by test/glue/check.sh as
// `node --conditions=millrace-source test/glue/main.ts MOTO_SERVER PYTHON`, a Python that has the client.
import { COMMIT_CASES } from './commit-cases.ts'
import { DRIFT_CASES } from './drift-cases.ts'
import { openGlueWorld } from './glue-world.ts'
import { pythonCases } from './python-cases.ts'
import { pythonCommitter } from './python-commits.ts'

const [, , motoServer = 'moto_server', python = 'python3'] = process.argv
const world = await openGlueWorld(motoServer)
const CASES = [...COMMIT_CASES, ...DRIFT_CASES, ...pythonCases(pythonCommitter(python))]
let failed = 0
try {
  for (const [name, run] of CASES) {
    const startMs = performance.now()
    try {
      const figures = await run(world)
      console.log(`ok: ${name}${figures === '' ? '' : ` (${figures})`}, ${Math.round(performance.now() - startMs)} ms`)
    } catch (error) {
      failed++
      console.error(`FAILED: ${name}`, error)
    }
  }
} finally {
  await world.stop()
}
console.log(`${CASES.length - failed} of ${CASES.length} cases of the mirror hold`)
process.exitCode = failed === 0 ? 0 : 1
