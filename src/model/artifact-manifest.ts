// A model's papers: what goes in and what comes out, byte for byte which file, made by whom from what, and how good it was.
// Written by the training script in any language; fields that this release does not know are left alone.
import * as z from 'zod/mini'
import { ModelError } from './errors.ts'

export const MANIFEST_FORMAT_VERSION = 1

const text = z.string().check(z.minLength(1), z.maxLength(4_096))
const name = z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/))
const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const instant = z.string().check(z.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/))
const count = z.number().check(z.int(), z.gte(0))

/** 1,000 features are far more than an item holds. */
const INPUTS_MAX = 1_000
const OUTPUTS_MAX = 64

const input = z.object({
  /** The feature, and with several inputs the ONNX input of that name. The order is the order of columns. */
  name,
  /** SHA-256 of the feature's canonical definition: the model was trained on that one and on no other. */
  fingerprint: sha256,
  type: z.enum(['number', 'flag']),
  /** What the model sees where the feature is null. */
  missing: z.union([z.number(), z.literal('nan')]),
})

const output = z.object({
  name,
  /** The ONNX output. */
  tensor: text,
  /** Which column of it, for an output of several. */
  column: z._default(count, 0),
  /** Least and greatest value that can be right; anything else is refused. */
  range: z.optional(z.tuple([z.number(), z.number()])),
})

const manifest = z.object({
  formatVersion: z.literal(MANIFEST_FORMAT_VERSION),
  name: z.string().check(z.regex(/^[a-z][a-z0-9-]{0,63}$/)),
  owner: text,
  /** Who trained it, and when. */
  who: text,
  when: instant,
  description: text,
  hyperparameters: z._default(z.record(z.string(), z.json()), {}),
  trainingData: z.object({ source: text, rows: count, from: instant, to: instant }),
  inputs: z.array(input).check(z.minLength(1), z.maxLength(INPUTS_MAX)),
  outputs: z.array(output).check(z.minLength(1), z.maxLength(OUTPUTS_MAX)),
  performance: z._default(z.array(z.object({ metric: text, slice: text, value: z.number() })), []),
  libraries: z._default(z.record(z.string(), z.string()), {}),
  /** Of model.onnx. */
  sha256,
  bytes: count,
})

export type ArtifactManifest = z.infer<typeof manifest>
export type ModelInput = ArtifactManifest['inputs'][number]
export type ModelOutput = ArtifactManifest['outputs'][number]

/** Throws ModelError `manifest-invalid`, naming every field that is wrong. */
export function readArtifactManifest(bytes: Uint8Array): ArtifactManifest {
  const parsed = manifest.safeParse(parseJson(bytes))
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map(issue => `${issue.path.join('.') || 'the whole'}: ${issue.message}`))
  }
  const { inputs, outputs } = parsed.data
  const wrong = [
    ...repeated('input', inputs),
    ...repeated('output', outputs),
    ...outputs.filter(({ range }) => range !== undefined && range[0] > range[1]).map(one => `${one.name}: empty range`),
  ]
  if (wrong.length > 0) throw invalid(wrong)
  return parsed.data
}

function repeated(what: string, named: readonly { readonly name: string }[]): string[] {
  const names = named.map(one => one.name)
  return names.filter((one, index) => names.indexOf(one) !== index).map(one => `${what} ${one} appears twice`)
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
}

function invalid(problems: readonly string[]): ModelError {
  return new ModelError(`The manifest of the artifact is not right: ${problems.slice(0, 10).join('; ')}`, {
    code: 'manifest-invalid',
    next: 'Compare manifest.json in the zip with docs/models.md.',
  })
}
