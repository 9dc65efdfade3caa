// `millrace features export`: a training table. Each row is what a user's features were one millisecond before an instant, made
// by the fold that streams use, so that a model is trained on the numbers that it will be given.
import { resolve } from 'node:path'
import type { DecodedEvent } from '../event/decoded-event.ts'
import { isRefusal } from '../event/decode.ts'
import { checkColumns } from '../catalog/columns.ts'
import { exportRows } from '../features/export-rows.ts'
import { type CompiledPipeline, compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError } from './errors.ts'
import { loadPipeline } from './load-pipeline.ts'
import { refuseExisting } from './parquet-out.ts'
import { readEventsFile } from './read-events-file.ts'
import { type InstantsFile, readInstantsFile } from './read-instants-file.ts'
import { featureColumns, writeFeaturesTable } from './write-features-table.ts'

/** Events of the wanted users are sorted in memory, about 700 bytes each: 1.4 GB, below Node's heap limit on 8 GB of memory. */
export const EXPORT_EVENTS_MAX = 2_000_000

export const command: Command = {
  name: 'features export',
  summary: 'Write features as they stood at given (user, time) pairs, as Parquet for training.',
  positionals: [],
  options: {
    events: {
      type: 'string',
      value: 'FILE',
      required: true,
      multiple: true,
      description: 'NDJSON (an event a line) or JSON (an array), in any order; .gz too; may be repeated.',
    },
    at: {
      type: 'string',
      value: 'FILE',
      required: true,
      description: 'CSV, NDJSON or Parquet with columns user and time; others are carried along.',
    },
    out: {
      type: 'string',
      value: 'FILE',
      required: true,
      description: 'The Parquet file to write; it must not exist.',
    },
  },
  changesThings: true,
  async run(context, args) {
    const paths = args.texts('events').map(path => resolve(context.cwd, path))
    const out = resolve(context.cwd, args.requiredText('out'))
    await refuseExisting(out)
    const compiled = compilePipeline(await loadPipeline(context.cwd))
    const { instants, carried } = await readInstantsFile(resolve(context.cwd, args.requiredText('at')))
    checkColumns([...carried, ...featureColumns(compiled.pipeline)])
    const wanted = new Set(instants.map(({ userId }) => userId))
    const { events, ...counts } = await collectEvents(paths, compiled, wanted)
    const rows = context.isDryRun ? 0 : await write(context, out, { compiled, events, file: { instants, carried } })
    const summary = {
      out,
      rows,
      users: wanted.size,
      features: compiled.features.features.length,
      events: { folded: events.length, ...counts },
    }
    context.result(summary, () => [
      context.isDryRun
        ? `Would write ${instants.length} rows of ${wanted.size} users to ${out}.`
        : `Wrote ${rows} rows of ${wanted.size} users to ${out}.`,
      `Events: ${events.length} of these users, ${counts.ofOtherUsers} of others, ${counts.duplicates} duplicate, ${counts.refused} refused.`,
      ...(counts.firstRefused === null ? [] : [`The first refused is ${counts.firstRefused}`]),
    ])
  },
}

interface Collected {
  /** Each once, ascending by time. */
  readonly events: readonly DecodedEvent[]
  readonly duplicates: number
  readonly ofOtherUsers: number
  readonly refused: number
  readonly firstRefused: string | null
}

async function collectEvents(
  paths: readonly string[],
  { contracts }: CompiledPipeline,
  wanted: ReadonlySet<string>,
): Promise<Collected> {
  const events = new Map<string, DecodedEvent>()
  const counts = { duplicates: 0, ofOtherUsers: 0, refused: 0 }
  let firstRefused: string | null = null
  for (const path of paths) {
    for await (const { line, decoded } of readEventsFile(path, contracts)) {
      if (isRefusal(decoded)) {
        counts.refused++
        firstRefused ??= `line ${line} of ${path}: ${decoded.reason}: ${decoded.detail}`
      } else if (!wanted.has(decoded.userId)) counts.ofOtherUsers++
      // As in a user's item, an event is known by user, type and id.
      else if (events.has(`${decoded.userId}/${decoded.idHash}`)) counts.duplicates++
      else events.set(`${decoded.userId}/${decoded.idHash}`, decoded)
      if (events.size > EXPORT_EVENTS_MAX) throw tooMany()
    }
  }
  return { events: [...events.values()].sort((a, b) => a.ts - b.ts), ...counts, firstRefused }
}

function tooMany(): CommandError {
  return new CommandError(`More than ${EXPORT_EVENTS_MAX} events of the wanted users`, {
    code: 'too-many-events',
    next: 'Split the --at file by user and export one after the other; rows of one user do not depend on another.',
  })
}

interface Work {
  readonly compiled: CompiledPipeline
  readonly events: readonly DecodedEvent[]
  readonly file: InstantsFile
}

async function write(context: CommandContext, out: string, { compiled, events, file }: Work): Promise<number> {
  const progress = context.progress('rows', file.instants.length)
  async function* rows(): ReturnType<typeof exportRows<(typeof file.instants)[number]>> {
    for await (const row of exportRows(compiled.features, { events, instants: file.instants })) {
      progress.advance(1)
      yield row
    }
  }
  const count = await writeFeaturesTable(out, {
    pipeline: compiled.pipeline,
    plan: compiled.features,
    carried: file.carried,
    carriedValues: instant => instant.values,
    rows: rows(),
  })
  progress.done()
  return count
}
