// `millrace model rollback`: a version that a stage had before is its current one again, by a new entry in its log.
import { STAGE_DEFAULT as SERVING } from '../model/model-refs.ts'
import { planVersionRollback, rollbackVersion } from '../model/promote-version.ts'
import type { Command } from './command.ts'
import { ANYWAY_OPTION, versionPorts } from './model-checks.ts'
import { modelNameOf, versionOf } from './model-location.ts'
import { describeEntry, REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'model rollback',
  summary: 'Go back to the version before, or to another one that the stage had.',
  positionals: ['model', 'batch?'],
  options: {
    in: { type: 'string', value: 'STAGE', description: `The model's own stage. Default: ${SERVING}.` },
    ...ANYWAY_OPTION,
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const request = { name: modelNameOf(args), stage: args.text('in') ?? SERVING, batchId: versionOf(args) }
    const { name, stage } = request
    const reason = reasonOf(context, args)
    await withConnection(context, args, async ({ catalog, trustedKeys }, pipeline) => {
      const ports = versionPorts({ catalog, trustedKeys, pipeline, args, isTried: false })
      const { batchId, current } = await planVersionRollback(ports, request)
      const from = current?.batchId ?? null
      if (context.isDryRun) {
        context.result(
          { isDryRun: true, name, stage, batchId, from },
          () => `Would make ${name} ${batchId} current in ${stage}, instead of ${from}`,
        )
        return
      }
      const entry = await rollbackVersion(ports, { ...request, batchId }, reason)
      context.result({ name, stage, from, ...entry }, () => [
        `${name} ${batchId} is current in ${stage} again, instead of ${from}:`,
        describeEntry(entry),
      ])
    })
  },
}
