// What a version of a model is held against before a command makes it current: a trial run, and the definitions of this folder.
import type { Catalog } from '../catalog/catalog.ts'
import type { ArtifactManifest } from '../model/artifact-manifest.ts'
import { ModelError } from '../model/errors.ts'
import { planModelInputs } from '../model/model-inputs.ts'
import type { OpenSession } from '../model/model-session.ts'
import { openOnnxSession } from '../model/onnx-session.ts'
import type { VersionPorts } from '../model/promote-version.ts'
import { modelRegistry } from '../model/registry.ts'
import type { TrustedKeys } from '../model/signature.ts'
import { tryThenOpen } from '../model/trial-load.ts'
import { sha256Hex } from '../platform/hash.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import { definedFeatures } from '../predictions/defined-features.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { CommandOption } from './command.ts'

export const ANYWAY_OPTION = {
  anyway: { type: 'boolean', description: 'Even where its inputs are not those that this folder defines.' },
} as const satisfies Record<string, CommandOption>

export interface CheckedWith {
  readonly catalog: Catalog
  readonly trustedKeys: TrustedKeys
  readonly pipeline: Pipeline
  /** `--anyway` is looked at. */
  readonly args: CommandArguments
  /** What served already need not be tried apart: a rollback is in a hurry. */
  readonly isTried: boolean
}

export function versionPorts({ catalog, trustedKeys, pipeline, args, isTried }: CheckedWith): VersionPorts {
  return {
    catalog,
    registry: modelRegistry(catalog, { trustedKeys }),
    openSession: isTried ? triedOnce() : openOnnxSession,
    checkInputs: args.flag('anyway') ? () => undefined : manifest => refuseMismatch(manifest, pipeline),
  }
}

/** First in a process that is thrown away; an artifact that a command looks at twice is tried there once. */
function triedOnce(): OpenSession {
  const trial = tryThenOpen(openOnnxSession)
  const tried = new Set<string>()
  return async (artifact, batchId) => {
    const papers = sha256Hex(JSON.stringify(artifact.manifest))
    const session = await (tried.has(papers) ? openOnnxSession : trial)(artifact, batchId)
    tried.add(papers)
    return session
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
