// `millrace model yank`: a version that must not be used again, in no stage. It is kept, for who asks what it said.
import { planVersionYank, yankVersion } from '../model/yank-version.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command } from './command.ts'
import { ANYWAY_OPTION, versionPorts } from './model-checks.ts'
import { modelNameOf } from './model-location.ts'
import { batchIdOf, REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'model yank',
  summary: 'Say that a version must not be used again, in any stage; for ever.',
  positionals: ['model', 'batch'],
  options: {
    'rollback-to': {
      type: 'string',
      value: 'ID',
      description: 'Where a stage has it now, go back to this version first. Refused otherwise.',
    },
    ...ANYWAY_OPTION,
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const request = requestOf(args)
    const { name, batchId } = request
    const reason = reasonOf(context, args)
    await withConnection(context, args, async ({ catalog, trustedKeys }, pipeline) => {
      const ports = versionPorts({ catalog, trustedKeys, pipeline, args, isTried: false })
      if (context.isDryRun) {
        const rollbacks = (await planVersionYank(ports, request)).rollbacks.map(({ stage, batchId: to }) => ({
          stage,
          to,
        }))
        context.result({ isDryRun: true, name, batchId, rollbacks }, () => [
          ...rollbacks.map(({ stage, to }) => `Would go back to ${to} in ${stage}`),
          `Would yank ${name} ${batchId}`,
        ])
        return
      }
      const { yank, rollbacks } = await yankVersion(ports, request, reason)
      context.result({ name, ...yank, rollbacks }, () => [
        ...rollbacks.map(({ stage, batchId: to }) => `${name} ${to} is current in ${stage} again`),
        `${name} ${batchId} was yanked at ${toRfc3339(yank.at)} by ${yank.who}: ${yank.why}`,
      ])
    })
  },
}

function requestOf(args: CommandArguments) {
  const rollbackTo = args.text('rollback-to')
  return {
    name: modelNameOf(args),
    batchId: batchIdOf(args.positional('batch')),
    rollbackTo: rollbackTo === undefined ? undefined : batchIdOf(rollbackTo),
  }
}
