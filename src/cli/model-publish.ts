// `millrace model publish`: an artifact becomes the current version of its model, after everything that can be known
// beforehand was held against it: its hash, its papers, a trial run, and this folder's own definitions.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { LogEntry } from '../catalog/items.ts'
import type { ArtifactManifest } from '../model/artifact-manifest.ts'
import { ModelError } from '../model/errors.ts'
import { planModelInputs } from '../model/model-inputs.ts'
import { openOnnxSession } from '../model/onnx-session.ts'
import { STAGE_DEFAULT as MODEL_STAGE_DEFAULT } from '../model/model-refs.ts'
import { modelRegistry } from '../model/registry.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import { definedFeatures } from '../predictions/defined-features.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import type { Command } from './command.ts'
import { CommandError } from './errors.ts'
import { describeEntry, REASON_OPTIONS, reasonOf } from './table-location.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'model publish',
  summary: 'Check an artifact and make it the current version of its model.',
  positionals: ['file.zip'],
  options: {
    as: {
      type: 'string',
      value: 'STAGE',
      description: `The model's own stage; ${MODEL_STAGE_DEFAULT} serves. Default: ${MODEL_STAGE_DEFAULT}.`,
    },
    anyway: { type: 'boolean', description: 'Even where its inputs are not those that this folder defines.' },
    ...REASON_OPTIONS,
    ...STAGE_OPTION,
  },
  changesThings: true,
  async run(context, args) {
    const zip = await readArtifactFile(resolve(context.cwd, args.positional('file.zip')))
    const reason = reasonOf(context, args)
    const stage = args.text('as') ?? MODEL_STAGE_DEFAULT
    await withConnection(context, args, async ({ catalog }, pipeline) => {
      const registry = modelRegistry(catalog)
      const input = { zip, stage, openSession: openOnnxSession }
      const { manifest, current } = await registry.planPublish(input)
      if (!args.flag('anyway')) refuseMismatch(manifest, pipeline)
      if (context.isDryRun) {
        const before = current?.batchId ?? null
        context.result({ isDryRun: true, name: manifest.name, stage, bytes: zip.byteLength, instead: before }, () => [
          `Would make ${manifest.name} of ${manifest.when} current in ${stage}, instead of ${before ?? 'nothing'}`,
        ])
        return
      }
      const entry = await registry.publish({ ...input, ...reason })
      context.result({ name: manifest.name, stage, ...entry }, () => describe(manifest, stage, entry))
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

/** A model whose inputs are defined otherwise would be `not-ready` for everybody. */
function refuseMismatch(manifest: ArtifactManifest, pipeline: Pipeline): void {
  const definition = pipeline.models.find(model => model.name === manifest.name)
  if (definition === undefined) {
    throw mismatch(`The pipeline ${pipeline.name} has no model ${manifest.name}`)
  }
  const plan = planModelInputs(manifest, definition.inputs, definedFeatures(compilePipeline(pipeline)))
  if (plan.kind === 'not-ready') throw mismatch(`${manifest.name} does not fit this folder: ${plan.detail}`)
}

function mismatch(what: string): ModelError {
  return new ModelError(what, {
    code: 'model-contract',
    next: 'Train it on these definitions, or add --anyway where they are deployed later.',
  })
}

function describe({ name, performance }: ArtifactManifest, stage: string, entry: LogEntry): string[] {
  return [
    `${name} ${entry.batchId} is current in ${stage}:`,
    describeEntry(entry),
    ...performance.map(({ metric, slice, value }) => `  ${metric} on ${slice}: ${value}`),
  ]
}
