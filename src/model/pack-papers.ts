// What a trainer knows of a model and no file says: the papers, as far as they are given. What can be found is filled in, and what is
// still missing is named, all of it at once.
import * as z from 'zod/mini'
import { distributionSchema } from './distribution.ts'
import { ModelError } from './errors.ts'

const inputPapers = z.object({
  /** The ONNX input, where it is called otherwise than the feature. */
  tensor: z.optional(z.string()),
  missing: z.optional(z.union([z.number(), z.string()])),
  distribution: z.optional(distributionSchema),
})

const outputPapers = z.object({
  /** As the prediction has it; the ONNX output is the key. */
  name: z.optional(z.string()),
  classes: z.optional(z.array(z.string())),
  range: z.optional(z.tuple([z.number(), z.number()])),
  meaning: z.optional(z.string()),
})

/** Fields that the manifest has under the same name go there as they are, and are checked there. */
const papersSchema = z.looseObject({
  /** Feature → what is known of it, in the order of columns where the file has one wide input. */
  inputs: z.optional(z.record(z.string(), inputPapers)),
  outputs: z.optional(z.record(z.string(), outputPapers)),
})

export type Papers = z.infer<typeof papersSchema>

/** What `model pack` itself decides, and papers cannot say. */
const OWN_FIELDS = ['formatVersion', 'name', 'version', 'sha256', 'bytes', 'files', 'changes'] as const
const REQUIRED = ['owner', 'who', 'when', 'description', 'trainingData'] as const

/** Throws ModelError `papers-invalid`. */
export function readPapers(text: string): Papers {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalid('they are not JSON', cause)
  }
  const parsed = papersSchema.safeParse(value)
  if (!parsed.success) {
    throw invalid(
      parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`).join('; '),
    )
  }
  const own = OWN_FIELDS.find(name => Object.hasOwn(parsed.data, name))
  if (own !== undefined) throw invalid(`${own} is not for them to say`)
  return parsed.data
}

/** Throws ModelError `papers-missing`. */
export function refuseMissing(papers: Readonly<Record<string, unknown>>): void {
  const missing = REQUIRED.filter(name => papers[name] === undefined)
  if (missing.length === 0) return
  throw new ModelError(`The papers of the model do not say: ${missing.join(', ')}`, {
    code: 'papers-missing',
    next: 'Write them into a JSON file as docs/bring-your-model.md shows, and give it with --papers.',
  })
}

function invalid(what: string, cause?: unknown): ModelError {
  return new ModelError(`The papers are not right: ${what}`, {
    code: 'papers-invalid',
    next: 'Compare the file with docs/bring-your-model.md.',
    ...(cause === undefined ? {} : { cause }),
  })
}
