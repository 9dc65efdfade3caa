// `millrace model publish`: an artifact becomes the current version of its model in a stage, after everything that can be known
// beforehand was held against it: its hash, its papers, a trial run, and this folder's own definitions.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { LogEntry } from '../catalog/items.ts'
import type { ArtifactManifest } from '../model/artifact-manifest.ts'
import { STAGE_DEFAULT as SERVING, STAGING } from '../model/model-refs.ts'
import { modelRegistry } from '../model/registry.ts'
import type { PublishPlan } from '../model/registry-publish.ts'
import type { Command } from './command.ts'
import { CommandError } from './errors.ts'
import { ANYWAY_OPTION, versionPorts } from './model-checks.ts'
import { describeEntry, REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'model publish',
  summary: 'Check an artifact and make it the current version of its model in a stage.',
  positionals: ['file.zip'],
  options: {
    to: {
      type: 'string',
      value: 'STAGE',
      description: `The model's own stage; ${SERVING} serves. Default: ${STAGING}.`,
    },
    ...ANYWAY_OPTION,
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const zip = await readArtifactFile(resolve(context.cwd, args.positional('file.zip')))
    const reason = reasonOf(context, args)
    const stage = args.text('to') ?? STAGING
    await withConnection(context, args, async ({ catalog, trustedKeys }, pipeline) => {
      const { openSession, checkInputs } = versionPorts({ catalog, trustedKeys, pipeline, args, isTried: true })
      const registry = modelRegistry(catalog, { trustedKeys })
      const input = { zip, stage, openSession }
      const plan = await registry.planPublish(input)
      const { manifest, current, way } = plan
      checkInputs(manifest)
      if (context.isDryRun) {
        const instead = current?.batchId ?? null
        const json = { isDryRun: true, name: manifest.name, stage, bytes: zip.byteLength, way: way.kind, instead }
        context.result({ ...json, batchId: way.batchId ?? null }, () => [planLine(plan, stage)])
        return
      }
      const entry = await registry.publish({ ...input, ...reason })
      context.result({ name: manifest.name, stage, way: way.kind, ...entry }, () => describe(plan, { stage, entry }))
    })
  },
}

async function readArtifactFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (error) {
    throw new CommandError(`${path} cannot be read`, {
      code: 'file-not-found',
      next: 'Name the zip that the training script wrote.',
      cause: error,
    })
  }
}

function planLine({ manifest, current, way }: PublishPlan, stage: string): string {
  if (way.kind === 'current') return `Would do nothing: ${manifest.name} ${way.batchId} is current in ${stage}`
  const instead = current?.batchId ?? 'nothing'
  return `Would make ${manifest.name} of ${manifest.when} current in ${stage}, instead of ${instead}`
}

function describe(
  { manifest, way }: PublishPlan,
  { stage, entry }: { readonly stage: string; readonly entry: LogEntry },
): string[] {
  const { name } = manifest
  const already = way.kind === 'current' ? ' already' : ''
  return [
    `${name} ${entry.batchId} is current in ${stage}${already}:`,
    describeEntry(entry),
    ...metricLines(manifest),
    ...(stage === STAGING ? [`To serve it: millrace model promote ${name}`] : []),
  ]
}

function metricLines({ performance }: ArtifactManifest): string[] {
  return performance.map(({ metric, slice, value }) => `  ${metric} on ${slice}: ${value}`)
}
