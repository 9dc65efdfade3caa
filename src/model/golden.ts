// Rows whose outputs the maker of a model has written down. A version that gives other ones is not the model that was made, whatever its
// hash says: another runtime, another platform, a file that was converted wrongly.
import * as z from 'zod/mini'
import type { ModelOutput } from './artifact-manifest.ts'
import { ModelError } from './errors.ts'
import { tableOfRows } from './input-table.ts'
import type { ModelRun, ModelSession, OutputValue } from './model-session.ts'

export const GOLDEN_FORMAT_VERSION = 1
/** They are run at each cold start. */
export const GOLDEN_ROWS_MAX = 200
/** The maker computes in 64 bits what the runtime computes in 32. */
export const TOLERANCE_DEFAULT = 1e-5

/** As JSON has no NaN, `nan` is one. */
const cell = z.union([z.number(), z.string()])
const outputValue = z.union([z.number(), z.string(), z.record(z.string(), z.number())])

const golden = z.object({
  formatVersion: z.literal(GOLDEN_FORMAT_VERSION),
  /** False: rows of real users, for whose bytes somebody is answerable. */
  synthetic: z._default(z.boolean(), true),
  /** The most that a number may differ, absolute. */
  tolerance: z._default(z.number().check(z.gt(0)), TOLERANCE_DEFAULT),
  /** In the order of the manifest's inputs. */
  inputs: z.array(z.array(cell)).check(z.minLength(1), z.maxLength(GOLDEN_ROWS_MAX)),
  /** Output name → a value for each row. */
  outputs: z.record(z.string(), z.array(outputValue)),
})

export type GoldenRows = z.infer<typeof golden>

/** Throws ModelError `golden-invalid`. */
export function readGolden(bytes: Uint8Array): GoldenRows {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw invalid('it is not JSON', cause)
  }
  const result = golden.safeParse(parsed)
  if (result.success) return result.data
  throw invalid(result.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`).join('; '))
}

/** Runs the rows. Throws ModelError `golden-differs`, `golden-not-finite`, `golden-out-of-range`, `golden-invalid`, and what the run throws. */
export async function checkGolden(session: ModelSession, { inputs, outputs, tolerance }: GoldenRows): Promise<void> {
  const { inputs: columns, outputs: promised } = session.manifest
  if (inputs.some(row => row.length !== columns.length)) throw invalid(`its rows are not of ${columns.length} inputs`)
  const isText = columns.map(({ type }) => type === 'text')
  const rows = inputs.map(row => row.map((value, index) => toCell(value, isText[index] === true)))
  const run = await session.run(tableOfRows(rows, columns.length))
  for (const [row, refusal] of run.refusals) throw refused(run, promised, { row, refusal })
  for (const [index, { name }] of promised.entries()) {
    const expected = Object.hasOwn(outputs, name) ? outputs[name] : undefined
    if (expected === undefined || expected.length !== rows.length)
      throw invalid(`it has no ${rows.length} rows of ${name}`)
    for (const [row, value] of expected.entries()) {
      const what = difference(run, { output: index, row }, value, tolerance)
      if (what !== undefined) throw differs(`${name} of row ${row + 1} ${what}`)
    }
  }
}

function toCell(value: number | string, isText: boolean): number | string {
  if (isText) return String(value)
  return value === 'nan' ? Number.NaN : Number(value)
}

function difference(
  { outputs }: ModelRun,
  { output, row }: { readonly output: number; readonly row: number },
  expected: GoldenRows['outputs'][string][number],
  tolerance: number,
): string | undefined {
  const actual = outputs[output]?.[row]
  const isLike = (a: unknown, b: unknown): boolean =>
    typeof a === 'number' && typeof b === 'number' ? Math.abs(a - b) <= tolerance : a === b
  if (typeof expected !== 'object') {
    return isLike(actual, expected) ? undefined : `is ${JSON.stringify(actual)}, and was ${JSON.stringify(expected)}`
  }
  const scores = typeof actual === 'object' ? actual : {}
  const wrong = Object.keys({ ...expected, ...scores }).find(name => !isLike(scores[name], expected[name]))
  return wrong === undefined ? undefined : `is ${scores[wrong]} for ${wrong}, and was ${expected[wrong]}`
}

/** A row that would be refused in production too. Which of the three it is can be seen in what came out. */
function refused(
  { outputs }: ModelRun,
  promised: readonly ModelOutput[],
  { row, refusal }: { readonly row: number; readonly refusal: string },
): ModelError {
  const values = promised.map((_, index) => outputs[index]?.[row])
  const numbers = values.flatMap(value => (typeof value === 'object' ? Object.values(value) : [value]))
  if (numbers.some(value => typeof value === 'number' && !Number.isFinite(value))) {
    return new ModelError(`The model gives for golden row ${row + 1} what is no number: ${refusal}`, {
      code: 'golden-not-finite',
      next: 'Look for a division by zero or a logarithm in it, and for a missing value that it cannot take.',
    })
  }
  if (promised.some((output, index) => isRuledOut(output, values[index]))) {
    return new ModelError(`The model gives for golden row ${row + 1} what its manifest rules out: ${refusal}`, {
      code: 'golden-out-of-range',
      next: 'Correct the range or the classes of the output in the manifest, or name another column or tensor of the file.',
    })
  }
  return invalid(`row ${row + 1} cannot go into the model: ${refusal}`)
}

/** By range or classes; of scores by any of them. */
function isRuledOut({ kind, range, classes }: ModelOutput, value: OutputValue | undefined): boolean {
  if (value === undefined) return false
  const values = typeof value === 'object' ? Object.values(value) : [value]
  if (kind === 'label') return classes !== undefined && !classes.includes(String(values[0]))
  const numbers = values.map(Number)
  return range !== undefined && numbers.some(number => number < range[0] || number > range[1])
}

function differs(what: string): ModelError {
  return new ModelError(`The model does not give what its golden rows say: ${what}`, {
    code: 'golden-differs',
    next: 'Export and pack it anew where it was trained; a larger tolerance only where 32 bits explain the difference.',
  })
}

function invalid(what: string, cause?: unknown): ModelError {
  return new ModelError(`golden.json of the artifact is not right: ${what}`, {
    code: 'golden-invalid',
    next: 'Let `millrace model pack` write it.',
    ...(cause === undefined ? {} : { cause }),
  })
}
