// `millrace events push`: a file of upstream's own events onto the stream, checked against the contracts as POST /events does.
import { resolve } from 'node:path'
import { compileContracts } from '../event/compile-contracts.ts'
import { ingest, type IngestResult } from '../event/ingest.ts'
import type { EventStreamWriter } from '../event/event-stream-writer.ts'
import { deliver } from '../event/producer.ts'
import type { Command } from './command.ts'
import { CommandError } from './errors.ts'
import { readPayloads } from './read-events-file.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

/** Events of one delivery: bounds memory, and is what the progress moves by. */
const EVENTS_PER_DELIVERY = 2000
/** Of those that were not accepted; the rest is counted. */
const SHOWN_MAX = 20

export const command: Command = {
  name: 'events push',
  summary: 'Check a file of events against the contracts and put them on the stream.',
  positionals: ['file'],
  options: STAGE_OPTION,
  changesThings: true,
  async run(context, args) {
    const path = resolve(context.cwd, args.positional('file'))
    await withConnection(context, args, async ({ events: writer, clock, random, sleep }, pipeline) => {
      const contracts = compileContracts(pipeline.events, { typePath: pipeline.typePath })
      const remembering = rememberingFailure(writer)
      const put = context.isDryRun
        ? async (entries: readonly unknown[]) => entries.map(() => NOT_SENT)
        : (entries: Parameters<typeof deliver>[0]) => deliver(entries, { writer: remembering, random, sleep, clock })
      const pushed = new Pushed()
      for await (const { lines, payloads } of deliveries(path)) {
        pushed.add(lines, await ingest(payloads, { contracts, nowMs: clock(), deliver: put }))
        if (!context.isJson)
          context.stderr.write(`${pushed.counts.accepted} ${context.isDryRun ? 'checked' : 'accepted'} so far\n`)
      }
      const { counts, problems } = pushed
      context.result({ ...counts, isDryRun: context.isDryRun, problems }, () => [
        `${counts.accepted} ${context.isDryRun ? 'would be accepted' : 'accepted'}, ${counts.refused} refused, ${counts.undelivered} undelivered`,
        ...problems.map(({ line, reason, detail }) => `line ${line}: ${reason}: ${detail}`),
      ])
      if (counts.refused + counts.undelivered > 0) throw notAll(counts, remembering.failure())
    })
  },
}

const NOT_SENT = { outcome: 'delivered', shard: '', sequence: '', attempts: 0 } as const

interface Problem {
  readonly line: number
  readonly reason: string
  readonly detail: string
}

class Pushed {
  readonly counts = { accepted: 0, refused: 0, undelivered: 0 }
  readonly problems: Problem[] = []

  add(lines: readonly number[], results: readonly IngestResult[]): void {
    for (const [index, result] of results.entries()) {
      this.counts[result.status]++
      if (result.status === 'accepted' || this.problems.length >= SHOWN_MAX) continue
      this.problems.push({ line: lines[index] ?? 0, reason: result.reason, detail: result.detail })
    }
  }
}

async function* deliveries(path: string): AsyncGenerator<{ lines: number[]; payloads: Uint8Array[] }> {
  let lines: number[] = []
  let payloads: Uint8Array[] = []
  for await (const { line, payload } of readPayloads(path)) {
    lines.push(line)
    payloads.push(payload)
    if (payloads.length < EVENTS_PER_DELIVERY) continue
    yield { lines, payloads }
    lines = []
    payloads = []
  }
  if (payloads.length > 0) yield { lines, payloads }
}

/** A delivery's outcome has only the code of a failure: the last one is kept whole, as the cause that is shown. */
function rememberingFailure(writer: EventStreamWriter): EventStreamWriter & { failure(): unknown } {
  let failure: unknown
  return {
    failure: () => failure,
    async putRecords(entries) {
      try {
        return await writer.putRecords(entries)
      } catch (error) {
        failure = error
        throw error
      }
    },
  }
}

function notAll({ refused, undelivered }: Pushed['counts'], failure: unknown): CommandError {
  return new CommandError(`${refused + undelivered} events were not accepted`, {
    code: 'events-not-accepted',
    next: 'Correct those that were refused; push the file again for those undelivered, repeats are folded once.',
    ...(undelivered === 0 ? {} : { cause: failure }),
  })
}
