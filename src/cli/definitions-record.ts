// `millrace definitions record`: the last step of a deploy. What this folder defines is then what `millrace plan` holds the next
// deploy against.
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import { describePipeline } from '../predictions/definitions.ts'
import { currentDefinitions, definitionsRef } from '../predictions/definitions-table.ts'
import { recordDeployed } from '../recompute/record-deployed.ts'
import type { Command } from './command.ts'
import { packageFacts } from './package-root.ts'
import { stageOf } from './stage.ts'
import { describeEntry, REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'definitions record',
  summary: 'Write down what this folder defines as what is deployed; the last step of a deploy.',
  positionals: [],
  options: { ...STAGE_OPTION, ...REASON_OPTIONS },
  changesThings: true,
  async run(context, args) {
    await withConnection(context, args, async ({ catalog }, pipeline) => {
      const stage = stageOf(args, pipeline.name)
      const compiled = compilePipeline(pipeline)
      const { table, partition } = definitionsRef(pipeline.name, stage)
      if (context.isDryRun) {
        const current = await currentDefinitions(catalog, pipeline.name, stage)
        const { definitions } = describePipeline(compiled)
        const before = current?.definitions.definitions ?? null
        context.result(
          { isDryRun: true, stage, definitions, before, beforeBatch: current?.entry.batchId ?? null },
          () => [
            `Would record ${definitions} in definitions.${table}/${partition}; ${current === undefined ? 'nothing is recorded there' : `batch ${current.entry.batchId} has ${before}`}`,
          ],
        )
        return
      }
      const release = packageFacts().version
      const { outcome, entry } = await recordDeployed(catalog, compiled, { stage, release, ...reasonOf(context, args) })
      context.result({ stage, outcome, definitions: compiled.definitions, ...entry }, () => [
        outcome === 'recorded'
          ? `Recorded in definitions.${table}/${partition}:`
          : `Nothing has changed since in definitions.${table}/${partition}:`,
        describeEntry(entry),
      ])
    })
  },
}
