// A glm of R, published as its coefficients: what R's own predict said of rows, and what a GET then answers by those coefficients.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkGolden } from '../../src/model/golden.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { readArtifact } from '../../src/model/read-artifact.ts'

const GLM = join(import.meta.dirname, '..', '..', 'models', 'late-arrival', 'glm')
const DIFFERENCE_MAX = 1e-6

export interface GlmWorld {
  readonly endpoint: string
  /** For the zip. */
  readonly folder: string
  readonly userId: string
  /** Runs `millrace WORDS`. */
  readonly millrace: (...words: string[]) => Promise<string>
}

interface Answer {
  readonly features: { readonly values: Readonly<Record<string, number | null>> }
  readonly predictions: {
    readonly models: Readonly<
      Record<string, { readonly batchId?: string; readonly value?: { readonly probability?: number } }>
    >
  }
}

/** Throws where R, the artifact and the GET are not of one opinion. */
export async function publishGlm({ endpoint, folder, userId, millrace }: GlmWorld): Promise<void> {
  const zip = join(folder, 'glm.zip')
  const given = ['coefficients', 'papers', 'golden'].flatMap(name => [
    `--${name}`,
    join(GLM, `${name}.${name === 'papers' ? 'json' : 'csv'}`),
  ])
  await millrace('model', 'pack', 'late-arrival', ...given, '--link', 'logit', '--out', zip)
  const artifact = readArtifact(readFileSync(zip))
  if (artifact.golden === undefined) throw new Error('The artifact has no golden rows of R')
  await checkGolden(await openOnnxSession(artifact, 'unpublished'), { ...artifact.golden, tolerance: DIFFERENCE_MAX })
  const published = JSON.parse(
    await millrace('model', 'publish', zip, '--to', 'production', '--who', 'the test', '--why', 'of R', '--json'),
  ) as { readonly batchId: string }
  const answer = (await (await fetch(`${endpoint}/users/${userId}`)).json()) as Answer
  const { batchId, value } = answer.predictions.models['late-arrival'] ?? {}
  const expected = byCoefficients(answer.features.values)
  const difference = Math.abs((value?.probability ?? Number.NaN) - expected)
  if (batchId !== published.batchId || !(difference <= DIFFERENCE_MAX)) {
    throw new Error(`GET answered ${JSON.stringify(answer.predictions)}, by R's coefficients it is ${expected}`)
  }
  console.log(
    `A glm of R: ${artifact.golden.inputs.length} rows as R predicts them to ${DIFFERENCE_MAX}, and a GET to ${difference.toExponential(1)}`,
  )
}

/** As R would: the sum of the terms, through the inverse of the logit. */
function byCoefficients(values: Answer['features']['values']): number {
  const { inputs } = JSON.parse(readFileSync(join(GLM, 'papers.json'), 'utf8')) as {
    readonly inputs: Readonly<Record<string, { readonly missing: number }>>
  }
  const [, ...lines] = readFileSync(join(GLM, 'coefficients.csv'), 'utf8').trim().split('\n')
  const terms = lines.map(line => line.replaceAll('"', '').split(','))
  const sum = terms.reduce((total, [term = '', estimate]) => {
    const value = term === '(Intercept)' ? 1 : (values[term] ?? inputs[term]?.missing ?? Number.NaN)
    return total + value * Number(estimate)
  }, 0)
  return 1 / (1 + Math.exp(-sum))
}
