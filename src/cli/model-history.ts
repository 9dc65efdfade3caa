// `millrace model history`: which version of a model was current in which of its stages when, by whom and why.
import type { Catalog } from '../catalog/catalog.ts'
import { modelLog, type StageEntry } from '../model/model-listing.ts'
import { modelNotFound } from '../model/model-not-found.ts'
import type { Command } from './command.ts'
import { isAboutMetric, METRIC_OPTIONS, runMetric } from './model-history-metric.ts'
import { modelNameOf, stageEntryLine } from './model-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const LIMIT_DEFAULT = 20
const LIMIT_MAX = 10_000

export const command: Command = {
  name: 'model history',
  summary: 'Show what was published, promoted and rolled back of a model, newest first.',
  positionals: ['model'],
  options: {
    in: { type: 'string', value: 'STAGE', description: "One of the model's own stages. Default: all of them." },
    limit: { type: 'string', value: 'N', description: `Show so many at most. Default: ${LIMIT_DEFAULT}.` },
    ...METRIC_OPTIONS,
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const name = modelNameOf(args)
    if (isAboutMetric(args)) {
      await withConnection(context, args, (connection, pipeline) =>
        runMetric(context, args, { connection, pipeline, model: name }),
      )
      return
    }
    const limit = args.wholeNumber('limit', { min: 1, max: LIMIT_MAX }) ?? LIMIT_DEFAULT
    const stage = args.text('in')
    const entries = await withConnection(context, args, ({ catalog }) => existingLog(catalog, name, { stage, limit }))
    context.result({ name, entries }, () => logLines(name, entries))
  },
}

async function existingLog(
  catalog: Catalog,
  name: string,
  of: { readonly stage: string | undefined; readonly limit: number },
): Promise<readonly StageEntry[]> {
  const entries = await modelLog(catalog, name, of)
  if (entries.length === 0) throw modelNotFound(name, of.stage)
  return entries
}

function logLines(name: string, entries: readonly StageEntry[]): readonly string[] {
  const width = Math.max(...entries.map(({ stage }) => stage.length))
  return [`${name}:`, ...entries.map(entry => stageEntryLine(entry, width))]
}
