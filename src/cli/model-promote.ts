// `millrace model promote`: a version goes on to the next stage, after everything was held against it again and the conditions hold.
import { gateLine, parseGate, type Gate } from '../model/gates.ts'
import { STAGE_DEFAULT as SERVING, STAGING } from '../model/model-refs.ts'
import { ModelError } from '../model/errors.ts'
import { planPromotion, promoteVersion } from '../model/promote-version.ts'
import type { Command } from './command.ts'
import { UsageError } from './errors.ts'
import { ANYWAY_OPTION, versionPorts } from './model-checks.ts'
import { modelNameOf, versionOf } from './model-location.ts'
import { describeEntry, REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'model promote',
  summary: 'Make a version of a model current in the next stage, checked again.',
  positionals: ['model', 'batch?'],
  options: {
    from: { type: 'string', value: 'STAGE', description: `Where it is. Default: ${STAGING}.` },
    to: { type: 'string', value: 'STAGE', description: `Where it goes. Default: ${SERVING}.` },
    if: {
      type: 'string',
      value: 'CONDITION',
      multiple: true,
      description: "Only if this holds, such as 'auc >= production - 0.01'; may be repeated.",
    },
    'skip-staging': { type: 'boolean', description: `To ${SERVING}, though it was never in ${STAGING}.` },
    ...ANYWAY_OPTION,
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const name = modelNameOf(args)
    const gates = args.texts('if').map(gateOf)
    const to = args.text('to') ?? SERVING
    const request = {
      name,
      from: args.text('from') ?? STAGING,
      to,
      batchId: versionOf(args),
      skipsStaging: args.flag('skip-staging'),
      gates,
    }
    const reason = reasonOf(context, args)
    await withConnection(context, args, async ({ catalog, trustedKeys }, pipeline) => {
      const ports = versionPorts({ catalog, trustedKeys, pipeline, args, isTried: true })
      const plan = await planPromotion(ports, request)
      const { batchId, current } = plan
      const held = plan.gates.map(gate => `  ${gateLine(gate)}`)
      if (context.isDryRun) {
        const json = { isDryRun: true, name, batchId, from: request.from, to, instead: current?.batchId ?? null }
        context.result({ ...json, gates: plan.gates }, () => [
          `Would make ${name} ${batchId} current in ${to}, instead of ${current?.batchId ?? 'nothing'}`,
          ...held,
        ])
        return
      }
      const entry = await promoteVersion(ports, { ...request, batchId }, reason)
      context.result({ name, stage: to, gates: plan.gates, ...entry }, () => [
        `${name} ${batchId} is current in ${to}:`,
        describeEntry(entry),
        ...held,
      ])
    })
  },
}

function gateOf(text: string): Gate {
  try {
    return parseGate(text)
  } catch (error) {
    if (error instanceof ModelError) throw new UsageError(`--if: ${error.message}`, error.next ?? '')
    throw error
  }
}
