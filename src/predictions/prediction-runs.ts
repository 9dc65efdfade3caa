// For how many users predictions are made at once. A value may have 1 MiB where an item has some KB, so what fits into memory follows
// from the most bytes that one user's can have, which the papers of the models say before any of them is run.
import type { ArtifactManifest, ModelOutput } from '../model/artifact-manifest.ts'
import type { OutputValue } from '../model/model-session.ts'
import type { PinnedPredictor } from './predictor.ts'
import { PREDICTION_BYTES_MAX, valueBytesAtMost } from './spill.ts'

type Papers = Pick<ArtifactManifest, 'outputs'>

/** What a run makes is there as columns, as values and, of those that are being written, as JSON; a function of 1 GB holds this many ten times over. */
export const PREDICTED_BYTES_MAX = 64 * 1024 * 1024

/** Those of each run are written before the next is made. At least one user a run; nearly always it is one run. */
export function predictionRuns<T>(
  users: readonly T[],
  { models = [] }: Pick<PinnedPredictor, 'models'>,
  bytesMax: number = PREDICTED_BYTES_MAX,
): readonly (readonly T[])[] {
  const usersMax = Math.max(1, Math.floor(bytesMax / Math.max(1, predictionBytesAtMost(models))))
  const runs: (readonly T[])[] = []
  for (let from = 0; from < users.length; from += usersMax) runs.push(users.slice(from, from + usersMax))
  return runs
}

const bounds = new WeakMap<Papers, number>()

/** Of all models together, as JSON. Most models answer with a number or two: some hundred bytes. */
export function predictionBytesAtMost(models: readonly { readonly manifest: Papers }[]): number {
  return models.reduce((sum, { manifest }) => sum + bytesAtMost(manifest), 0)
}

/** Not cut at PREDICTION_BYTES_MAX: what is longer is refused, and was in memory before. */
function bytesAtMost(papers: Papers): number {
  const known = bounds.get(papers)
  if (known !== undefined) return known
  const longest = Object.fromEntries(papers.outputs.map(output => [output.name, longestValue(output)]))
  // A label of which nobody has said what it can be may be any text.
  const open = papers.outputs.filter(({ kind, classes }) => kind === 'label' && classes === undefined)
  const bytes = valueBytesAtMost(longest) + open.length * PREDICTION_BYTES_MAX
  bounds.set(papers, bytes)
  return bytes
}

function longestValue({ kind, classes = [] }: ModelOutput): OutputValue {
  if (kind === 'number') return 0
  if (kind === 'scores') return Object.fromEntries(classes.map(name => [name, 0]))
  return classes.reduce((longest, name) => (name.length > longest.length ? name : longest), '')
}
