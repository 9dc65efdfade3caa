// `millrace events check`: what this pipeline's contracts would refuse of a file of events, before a deploy does it for real. It
// prints names, places and line numbers, and nothing of a payload, so that its output may be shown to anybody.
import { resolve } from 'node:path'
import { type CheckSummary, ContractCheck } from '../event/check-events.ts'
import { compileContracts } from '../event/compile-contracts.ts'
import type { Command } from './command.ts'
import { CommandError } from './errors.ts'
import { loadPipeline } from './load-pipeline.ts'
import { readEventsFile } from './read-events-file.ts'
import { parseShare, percent, reasonLines } from './refused-text.ts'

/** A few seconds' work: without a terminal too, a line now and then is enough. */
const EVENTS_PER_PROGRESS = 200_000

export const command: Command = {
  name: 'events check',
  summary: 'Show what the contracts would refuse of a file of events, and which field first.',
  positionals: ['file'],
  options: {
    'allow-refused': {
      type: 'string',
      value: 'SHARE',
      default: '0',
      description: 'Exit with 0 up to this share of refused events, such as 0.01.',
    },
  },
  async run(context, args) {
    const allowedShare = parseShare(args.text('allow-refused') ?? '0')
    const file = args.positional('file')
    const { events, typePath } = await loadPipeline(context.cwd)
    const contracts = compileContracts(events, { typePath })
    const check = new ContractCheck()
    let checked = 0
    for await (const { line, decoded } of readEventsFile(resolve(context.cwd, file), contracts)) {
      check.add(decoded, line)
      checked++
      if (checked % EVENTS_PER_PROGRESS === 0 && !context.isJson) context.stderr.write(`${checked} checked so far\n`)
    }
    const summary = check.summary()
    if (summary.events === 0) {
      throw new CommandError(`${file} has no event`, {
        code: 'file-without-events',
        next: 'Give a file with an event a line (.ndjson) or an array of events (.json).',
      })
    }
    context.result({ ...summary, allowedShare }, () => describe(summary))
    if (summary.refusedShare > allowedShare) throw refused(summary, allowedShare)
  },
}

function describe({ events, accepted, refused: count, refusedShare, reasons }: CheckSummary): string[] {
  const share = count === 0 ? '' : ` (${percent(refusedShare)})`
  return [
    `${events} events: ${accepted} accepted, ${count} refused${share}`,
    ...reasons.flatMap(reason => reasonLines(reason)),
  ]
}

function refused({ refused: count, events, refusedShare }: CheckSummary, allowedShare: number): CommandError {
  const allowed = allowedShare === 0 ? '' : `, more than ${percent(allowedShare)}`
  return new CommandError(`${count} of ${events} events would be refused (${percent(refusedShare)}${allowed})`, {
    code: 'events-refused',
    next: 'Change the contract (renamed, upgrade, unknown, nullable, optional) or what upstream sends, and check again.',
  })
}
