// `millrace model yank`: a version that must not be used again, in no stage. It is kept, for who asks what it said.
import { carryOutYank, planVersionYank } from '../model/yank-version.ts'
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
      const plan = await planVersionYank(ports, request)
      if (context.isDryRun) {
        const steps = plan.rollbacks.map(({ stage, batchId: to }) => ({ stage, to, from: batchId }))
        context.result({ isDryRun: true, name, batchId, rollbacks: steps }, () => [
          ...steps.map(({ stage, to, from }) => `Would go back to ${to} in ${stage}, instead of ${from}`),
          `Would yank ${name} ${batchId}`,
        ])
        return
      }
      if (!context.isJson) {
        // Before anything is done, for whoever sees it stop halfway.
        for (const { stage, batchId: to } of plan.rollbacks) context.stderr.write(`${stage} goes back to ${to}\n`)
      }
      const { yank, rollbacks } = await carryOutYank(ports, plan, request, reason)
      context.result({ name, ...yank, rollbacks }, () => [
        ...rollbacks.map(({ stage, batchId: to }) => `${name} ${to} is current in ${stage} again`),
        `${name} ${batchId} was yanked at ${toRfc3339(yank.at)} by ${yank.who}: ${yank.why}`,
      ])
    })
  },
}

function requestOf(args: CommandArguments) {
  const rollbackTo = args.text('rollback-to')
  const stage = args.text('stage')
  return {
    name: modelNameOf(args),
    batchId: batchIdOf(args.positional('batch')),
    rollbackTo: rollbackTo === undefined ? undefined : batchIdOf(rollbackTo),
    words: [...(stage === undefined ? [] : ['--stage', stage]), ...(args.flag('anyway') ? ['--anyway'] : [])],
  }
}
