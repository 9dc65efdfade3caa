// `millrace model pack`: a model that was trained elsewhere becomes an artifact with its papers, ready to be published. It is tried on golden
// rows before the zip is written.
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ModelError } from '../model/errors.ts'
import { type FeatureKind, type Link, LINKS } from '../model/linear-graph.ts'
import type { DefinedFeature } from '../model/model-inputs.ts'
import type { OpenSession } from '../model/model-session.ts'
import { openOnnxSession } from '../model/onnx-session.ts'
import { packArtifact, type PackedArtifact } from '../model/pack.ts'
import { packCoefficients } from '../model/pack-coefficients.ts'
import { packGraph, type PackedGraph } from '../model/pack-graph.ts'
import { type Papers, readPapers } from '../model/pack-papers.ts'
import { tryThenOpen } from '../model/trial-load.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import { definedFeatures } from '../predictions/defined-features.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { UsageError } from './errors.ts'
import { loadPipeline } from './load-pipeline.ts'
import { readBytes, readCoefficients, readGoldenRows, readMlflow, readText } from './model-pack-files.ts'

export const command: Command = {
  name: 'model pack',
  summary: 'Make an artifact of a model that was trained elsewhere: an ONNX file, a folder of MLflow, or coefficients.',
  positionals: ['name'],
  options: {
    onnx: { type: 'string', value: 'FILE', description: 'One self-contained ONNX file.' },
    mlflow: { type: 'string', value: 'DIR', description: 'A folder with the file MLmodel, saved by mlflow.onnx.' },
    coefficients: { type: 'string', value: 'FILE', description: 'CSV with the columns term and estimate, as of R.' },
    link: { type: 'string', value: 'LINK', description: `Of the coefficients: ${LINKS.join(', ')}.` },
    papers: {
      type: 'string',
      value: 'FILE',
      description: 'JSON of what the trainer knows: who, when, trainingData, …',
    },
    golden: {
      type: 'string',
      value: 'FILE',
      description: 'Rows to try it on, CSV or JSON, best with what the maker predicts. Default: made of distributions.',
    },
    out: { type: 'string', value: 'FILE', short: 'o', required: true, description: 'The zip to write.' },
  },
  changesThings: true,
  async run(context, args) {
    const name = args.positional('name')
    const pipeline = await loadPipeline(context.cwd)
    const definition = pipeline.models.find(model => model.name === name)
    if (definition === undefined) {
      const names = pipeline.models.map(model => model.name).join(', ')
      throw new ModelError(`The pipeline ${pipeline.name} has no model ${name}`, {
        code: 'model-not-found',
        next: names === '' ? 'Define it in src/pipeline.' : `Define it in src/pipeline, or use one of: ${names}.`,
      })
    }
    const features = definedFeatures(compilePipeline(pipeline))
    const kinds = kindsOf(definition.inputs, features)
    const source = await readSource(context, args, kinds)
    const path = (option: string): string | undefined => inFolder(context, args.text(option))
    const [papersFile, goldenFile] = [path('papers'), path('golden')]
    const given = papersFile === undefined ? {} : readPapers(await readText(papersFile, 'a JSON file'))
    const packed = await packArtifact(source.graph, {
      definition,
      features,
      papers: joined(source.papers, given),
      golden: goldenFile === undefined ? undefined : await readGoldenRows(goldenFile, kinds),
      openSession: triedOnce(),
    })
    const out = resolve(context.cwd, args.requiredText('out'))
    if (!context.isDryRun) await writeFile(out, packed.zip)
    const { manifest, golden, zip } = packed
    context.result(
      {
        isDryRun: context.isDryRun,
        name,
        file: out,
        bytes: zip.byteLength,
        changes: manifest.changes,
        inputs: manifest.inputs.map(input => ({ name: input.name, type: input.type, missing: input.missing })),
        outputs: manifest.outputs,
        golden: { rows: golden.inputs.length, synthetic: golden.synthetic },
      },
      () => describe(packed, { out, isDryRun: context.isDryRun }),
    )
  },
}

/** The same file is opened twice, without golden rows and with them; what it does to a process is seen the first time. */
function triedOnce(): OpenSession {
  let open = tryThenOpen(openOnnxSession)
  return async (artifact, batchId) => {
    const session = await open(artifact, batchId)
    open = openOnnxSession
    return session
  }
}

interface Source {
  readonly graph: PackedGraph
  /** What the source itself says. */
  readonly papers: Papers
}

async function readSource(
  context: CommandContext,
  args: CommandArguments,
  kinds: ReadonlyMap<string, FeatureKind>,
): Promise<Source> {
  const [onnx, mlflow, coefficients] = ['onnx', 'mlflow', 'coefficients'].map(name =>
    inFolder(context, args.text(name)),
  )
  if ([onnx, mlflow, coefficients].filter(one => one !== undefined).length !== 1) {
    throw new UsageError(
      'There is not one model to pack',
      'Give one of --onnx FILE, --mlflow DIR and --coefficients FILE.',
    )
  }
  if (coefficients !== undefined) {
    const link = args.text('link')
    if (!isLink(link)) throw new UsageError(`--link is ${link ?? 'missing'}`, `Use one of: ${LINKS.join(', ')}.`)
    const { graph, finalValues } = packCoefficients(await readCoefficients(coefficients), link, kinds)
    return { graph, papers: { finalValues, hyperparameters: { link } } }
  }
  if (args.text('link') !== undefined) throw new UsageError('--link is of coefficients', 'Leave it out.')
  if (onnx !== undefined) return { graph: packGraph(await readBytes(onnx, 'an ONNX file')), papers: {} }
  const { bytes, runId, when, libraries } = await readMlflow(mlflow ?? '')
  const tags = runId === undefined ? {} : { tags: [`mlflow-run:${runId}`] }
  return { graph: packGraph(bytes), papers: { libraries, ...tags, ...(when === undefined ? {} : { when }) } }
}

function isLink(link: string | undefined): link is Link {
  return LINKS.some(one => one === link)
}

function inFolder({ cwd }: CommandContext, path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(cwd, path)
}

/** Papers that are given count before what the source says; libraries, hyperparameters and tags of both are kept. */
function joined(said: Papers, given: Papers): Papers {
  const merged = ['libraries', 'hyperparameters'].map(name => [
    name,
    { ...objectOf(said[name]), ...objectOf(given[name]) },
  ])
  const tags = [said['tags'], given['tags']].flatMap(list => (Array.isArray(list) ? (list as unknown[]) : []))
  return { ...said, ...given, ...Object.fromEntries(merged), ...(tags.length === 0 ? {} : { tags }) }
}

function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}

function kindsOf(
  inputs: readonly string[],
  features: ReadonlyMap<string, DefinedFeature>,
): ReadonlyMap<string, FeatureKind> {
  return new Map(
    inputs.flatMap(name => {
      const type = features.get(name)?.type
      return type === undefined || type === 'json' ? [] : [[name, type] as const]
    }),
  )
}

function describe(
  { manifest, golden, zip }: PackedArtifact,
  { out, isDryRun }: { readonly out: string; readonly isDryRun: boolean },
): string[] {
  const { name, changes, inputs, outputs } = manifest
  return [
    `${isDryRun ? 'Would write' : 'Wrote'} ${name} to ${out}, ${zip.byteLength} bytes`,
    ...(changes.length === 0
      ? ['The ONNX file is as it came.']
      : ['Changed:', ...changes.map(change => `  ${change}`)]),
    `Inputs: ${inputs.map(input => `${input.name} (missing: ${JSON.stringify(input.missing)})`).join(', ')}`,
    `Outputs: ${outputs.map(({ name: output, kind, tensor }) => `${output} (${kind}, from ${tensor})`).join(', ')}`,
    `Golden rows: ${golden.inputs.length}, ${golden.synthetic ? 'made of the distributions' : 'as given'}`,
    ...(isDryRun ? [] : [`To publish it: millrace model publish ${out}`]),
  ]
}
