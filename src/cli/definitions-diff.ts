// `millrace definitions diff`: what changed between two recorded definitions, or between what is recorded and this folder.
import type { Catalog } from '../catalog/catalog.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import { type Definitions, describePipeline } from '../predictions/definitions.ts'
import { diffDefinitions, isEmptyDiff } from '../predictions/definitions-diff.ts'
import { definitionsRef, loadDefinitions } from '../predictions/definitions-table.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command } from './command.ts'
import { diffLines } from './diff-text.ts'
import { CommandError, UsageError } from './errors.ts'
import { stageOf } from './stage.ts'
import { batchIdOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'definitions diff',
  summary: 'Show what changed between two recorded definitions; without words, by the last deploy.',
  positionals: ['from?', 'to?'],
  options: {
    local: { type: 'boolean', description: 'Up to what this folder defines, and not to what is recorded.' },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const isLocal = args.flag('local')
    const [from, to] = ['from', 'to']
      .map(name => args.optionalPositional(name))
      .map(id => (id === undefined ? undefined : batchIdOf(id)))
    if (isLocal && to !== undefined) throw new UsageError('--local and a second batch', 'Leave one of them out.')
    await withConnection(context, args, async ({ catalog }, pipeline) => {
      const sides = await findSides({ catalog, pipeline, args }, { from, to, isLocal })
      const diff = diffDefinitions(sides.before.definitions, sides.after.definitions)
      context.result({ from: sides.before.name, to: sides.after.name, ...diff }, () => [
        `From ${sides.before.text} to ${sides.after.text}:`,
        ...(isEmptyDiff(diff) ? ['Nothing has changed.'] : diffLines(diff)),
      ])
    })
  },
}

interface Side {
  /** Batch ID, or `local`. */
  readonly name: string
  readonly text: string
  readonly definitions: Definitions
}

interface Where {
  readonly catalog: Catalog
  readonly pipeline: Pipeline
  readonly args: CommandArguments
}

interface Asked {
  readonly from: string | undefined
  readonly to: string | undefined
  readonly isLocal: boolean
}

async function findSides(where: Where, { from, to, isLocal }: Asked): Promise<{ before: Side; after: Side }> {
  const stage = stageOf(where.args, where.pipeline.name)
  const ref = definitionsRef(where.pipeline.name, stage)
  const load = async (batchId: string): Promise<Side> => {
    const { definitions, entry } = await loadDefinitions(where.catalog, ref, batchId)
    return { name: batchId, text: `${batchId} (${toRfc3339(entry.at)}, ${entry.who})`, definitions }
  }
  const [current, previous] = await where.catalog.history(ref, { limit: 2 })
  if (current === undefined) throw nothingRecorded(stage)
  if (isLocal) {
    const definitions = describePipeline(compilePipeline(where.pipeline))
    return { before: await load(from ?? current.batchId), after: { name: 'local', text: 'this folder', definitions } }
  }
  if (from === undefined && previous === undefined) {
    throw new CommandError(`${current.batchId} is the only batch of definitions of the stage ${stage}`, {
      code: 'definitions-single',
      next: 'Add --local to compare it with this folder.',
    })
  }
  return { before: await load(from ?? previous?.batchId ?? ''), after: await load(to ?? current.batchId) }
}

function nothingRecorded(stage: string): CommandError {
  return new CommandError(`Nothing was ever recorded for the stage ${stage}`, {
    code: 'definitions-missing',
    next: 'Check the stage; `millrace definitions record` is the last step of a deploy.',
  })
}
