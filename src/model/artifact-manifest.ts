// A model's papers: what goes in and what comes out, byte for byte which file, made by whom from what, and how good it was.
// Written by a training script in any language; fields that this release does not know are left alone.
import * as z from 'zod/mini'
import { distributionSchema } from './distribution.ts'
import { ModelError } from './errors.ts'

/** 2 brought golden rows, distributions, and inputs and outputs that are text; 1 is read as long as there are such artifacts. */
export const MANIFEST_FORMAT_VERSION = 2

const text = z.string().check(z.minLength(1), z.maxLength(4_096))
const name = z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/))
const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const instant = z.string().check(z.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/))
const batchId = z.string().check(z.regex(/^\d{14}-[0-9a-hjkmnp-tv-z]{8}$/))
const count = z.number().check(z.int(), z.gte(0))

/** 1,000 features are far more than an item holds. */
const INPUTS_MAX = 1_000
const OUTPUTS_MAX = 64
/** A prediction names the value of each; more of them is a list, which belongs into several outputs or a table. */
const CLASSES_MAX = 10_000

const input = z.object({
  /** The feature. The order is the order of columns where the model has one wide input. */
  name,
  /** SHA-256 of the feature's canonical definition: the model was trained on that one and on no other. */
  fingerprint: sha256,
  type: z.enum(['number', 'flag', 'text']),
  /** What the model sees where the feature is null: a number or `nan`; of a text any text. */
  missing: z.union([z.number(), z.string()]),
  /** The ONNX input, where the model has several and this one is called otherwise than the feature. */
  tensor: z.optional(text),
  /** Of the training set. */
  distribution: z.optional(distributionSchema),
})

const output = z.object({
  name,
  /** `number`: one number. `label`: one text or whole number. `scores`: a number for each of `classes`. */
  kind: z._default(z.enum(['number', 'label', 'scores']), 'number'),
  /** The ONNX output. */
  tensor: text,
  /** Which column of it, for a number out of several. */
  column: z._default(count, 0),
  /** Of `scores` in the order of columns; of a `label` all that it can be. */
  classes: z.optional(z.array(z.string()).check(z.minLength(1), z.maxLength(CLASSES_MAX))),
  /** Least and greatest number that can be right; anything else is refused. */
  range: z.optional(z.tuple([z.number(), z.number()])),
  meaning: z.optional(text),
  /** Of what it gives on the training set. */
  distribution: z.optional(distributionSchema),
})

const trainingData = z.object({
  source: text,
  /** In the catalogue, where it is from there: `db.table`. */
  table: z.optional(text),
  partition: z.optional(text),
  batchId: z.optional(batchId),
  rows: count,
  from: instant,
  to: instant,
})

const finalValues = z.union([
  /** Base64 of zlib of JSON: name → number. */
  z.object({ zlibJson: z.string().check(z.maxLength(262_144)) }),
  /** Of the canonical JSON of them, where they are many. */
  z.object({ sha256, count }),
])

export const manifestSchema = z.object({
  formatVersion: z.union([z.literal(1), z.literal(MANIFEST_FORMAT_VERSION)]),
  name: z.string().check(z.regex(/^[a-z][a-z0-9-]{0,63}$/)),
  /** The batch ID under which it is published, in every stage. */
  version: z.optional(batchId),
  owner: text,
  /** Who trained it, and when. */
  who: text,
  when: instant,
  description: text,
  /** Of the repository that it was trained from. */
  commit: z.optional(text),
  hyperparameters: z._default(z.record(z.string(), z.json()), {}),
  trainingData,
  inputs: z.array(input).check(z.minLength(1), z.maxLength(INPUTS_MAX)),
  outputs: z.array(output).check(z.minLength(1), z.maxLength(OUTPUTS_MAX)),
  performance: z._default(z.array(z.object({ metric: text, slice: text, value: z.number() })), []),
  libraries: z._default(z.record(z.string(), z.string()), {}),
  finalValues: z.optional(finalValues),
  licence: z.optional(text),
  tags: z.optional(z.array(text).check(z.maxLength(64))),
  /** How to train it again: run in the folder of `extra/`, it writes `model.onnx` there. `{data}` is the training table. */
  reproduce: z.optional(z.object({ command: z.array(text).check(z.minLength(1), z.maxLength(32)) })),
  /** What packing changed of the file that it was given. */
  changes: z._default(z.array(text), []),
  /** Of model.onnx. */
  sha256,
  bytes: count,
  /** Of every other file of the zip but this one and the signature: `golden.json`, `extra/train.py`. */
  files: z._default(z.record(z.string(), z.object({ sha256, bytes: count })), {}),
})

export type ArtifactManifest = z.infer<typeof manifestSchema>
/** As it may be written: what has a default may be left out. */
export type ManifestInput = z.input<typeof manifestSchema>
export type ModelInput = ArtifactManifest['inputs'][number]
export type ModelOutput = ArtifactManifest['outputs'][number]

/** Throws ModelError `manifest-invalid`, naming every field that is wrong. */
export function readArtifactManifest(bytes: Uint8Array): ArtifactManifest {
  const parsed = manifestSchema.safeParse(parseJson(bytes))
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map(issue => `${issue.path.join('.') || 'the whole'}: ${issue.message}`))
  }
  const { inputs, outputs } = parsed.data
  const wrong = [
    ...repeated('input', inputs),
    ...repeated('output', outputs),
    ...inputs.flatMap(inputProblem),
    ...outputs.flatMap(outputProblem),
  ]
  if (wrong.length > 0) throw invalid(wrong)
  return parsed.data
}

function inputProblem({ name: input, type, missing }: ModelInput): string[] {
  const isRight = type === 'text' ? typeof missing === 'string' : typeof missing === 'number' || missing === 'nan'
  return isRight ? [] : [`${input}: missing is ${JSON.stringify(missing)}, which is no ${type}`]
}

function outputProblem({ name: output, kind, classes, range }: ModelOutput): string[] {
  if (range !== undefined && range[0] > range[1]) return [`${output}: empty range`]
  if (kind === 'scores' && classes === undefined) return [`${output}: scores without classes`]
  return classes !== undefined && new Set(classes).size !== classes.length ? [`${output}: a class appears twice`] : []
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
