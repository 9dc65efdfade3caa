// The process around the frame: the only file that touches `process` for it.
import { systemClock } from '../platform/clock.ts'
import { COMMANDS } from './commands.ts'
import { packageFacts } from './package-root.ts'
import { runCli } from './run-cli.ts'

/** How long repeats of the first signal are taken for the same one: a terminal and a parent process both send it. */
const SIGNAL_REPEAT_MS = 1000
/** 128 + SIGINT, as shells report it. */
const EXIT_INTERRUPTED = 130

/** Aborted by the first SIGINT or SIGTERM, so that the command can stop what it started; a later one ends the process. */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  let firstMs: number | undefined
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      firstMs ??= Date.now()
      if (Date.now() - firstMs > SIGNAL_REPEAT_MS) process.exit(EXIT_INTERRUPTED)
      controller.abort()
    })
  }
  return controller.signal
}

process.exitCode = await runCli(process.argv.slice(2), COMMANDS, {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  cwd: process.cwd(),
  clock: systemClock,
  onStop: stopSignal,
  version: () => packageFacts().version,
})
