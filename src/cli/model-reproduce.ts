// `millrace model reproduce`: the script that a version's papers keep is run on the batch that they name, and what it makes is held
// against the model that was published.
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Catalog } from '../catalog/catalog.ts'
import { MODEL_BYTES_MAX } from '../model/check-zip-entries.ts'
import { stagesWith } from '../model/model-listing.ts'
import { modelNotFound } from '../model/model-not-found.ts'
import { modelRef, STAGE_DEFAULT as SERVING } from '../model/model-refs.ts'
import { openOnnxSession } from '../model/onnx-session.ts'
import { MODEL_FILE } from '../model/read-artifact.ts'
import {
  compareReproduced,
  type Comparison,
  DATA_PLACEHOLDER,
  noModelMade,
  planReproduction,
  type Reproduction,
} from '../model/reproduce.ts'
import { tryThenOpen } from '../model/trial-load.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { durationOption } from './durations.ts'
import { CommandError } from './errors.ts'
import { modelNameOf, versionOf } from './model-location.ts'
import { type Ending, runBounded } from './run-bounded.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const TIMEOUT_MS_DEFAULT = 1_800_000
/** The rest of the caller's environment, credentials above all, is not for a script out of a zip. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL']

export const command: Command = {
  name: 'model reproduce',
  summary: 'Run the kept script of a version on its training batch, and compare what comes out.',
  positionals: ['model', 'batch?'],
  options: {
    in: { type: 'string', value: 'STAGE', description: `The current version of this stage. Default: ${SERVING}.` },
    yes: { type: 'boolean', description: 'Run it: it is code out of the artifact, with your rights on this machine.' },
    timeout: { type: 'string', value: 'DURATION', description: 'How long it may take. Default: 30m.' },
    ...STAGE_OPTION,
  },
  runsUntilStopped: true,
  async run(context, args) {
    await withConnection(context, args, async ({ catalog, trustedKeys }) => {
      const version = await findVersion(catalog, args)
      const plan = await planReproduction(catalog, version, { trustedKeys })
      if (!args.flag('yes')) throw notRun(plan)
      const folder = await mkdtemp(join(tmpdir(), 'millrace-reproduce-'))
      try {
        const timeoutMs = durationOption(args, 'timeout') ?? TIMEOUT_MS_DEFAULT
        const model = await makeAgain(context, plan, { catalog, folder, timeoutMs })
        const comparison = await compareReproduced(tryThenOpen(openOnnxSession), plan, model)
        const { name, batchId } = version
        context.result({ name, batchId, ...comparison }, () => comparisonLines(`${name} ${batchId}`, comparison))
        if (!comparison.holds) throw differs(comparison)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    })
  },
}

async function findVersion(catalog: Catalog, args: CommandArguments) {
  const name = modelNameOf(args)
  const stage = args.text('in') ?? SERVING
  const batchId = versionOf(args)
  if (batchId === undefined) {
    const current = await catalog.current(modelRef(name, stage))
    if (current === undefined) throw modelNotFound(name, stage)
    return { name, stage, batchId: current.batchId }
  }
  const [first] = await stagesWith(catalog, name, batchId)
  if (first === undefined) throw modelNotFound(`${name} ${batchId}`)
  return { name, stage: first, batchId }
}

interface Where {
  readonly catalog: Catalog
  readonly folder: string
  readonly timeoutMs: number
}

async function makeAgain(
  context: CommandContext,
  plan: Reproduction,
  { catalog, folder, timeoutMs }: Where,
): Promise<Uint8Array> {
  const extra = join(folder, 'extra')
  await mkdir(extra)
  for (const [name, bytes] of plan.extra) {
    const path = join(extra, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes, { flag: 'wx' })
  }
  const data = plan.data === undefined ? '' : await fetchData(catalog, plan.data, join(folder, 'data'))
  const ending = await runBounded({
    command: plan.command.map(word => word.replaceAll(DATA_PLACEHOLDER, data)),
    cwd: extra,
    env: Object.fromEntries(
      PASSED_ON.flatMap(name => (context.env[name] === undefined ? [] : [[name, context.env[name]]])),
    ),
    timeoutMs,
    signal: context.signal,
    onOutput: text => void context.stderr.write(text),
  })
  if (ending.kind !== 'exited' || ending.exitCode !== 0) throw failed(ending)
  return readModel(join(extra, MODEL_FILE))
}

/** One file where the batch has one part, a folder of parts otherwise: readers of Parquet take both. */
async function fetchData(
  catalog: Catalog,
  { batchId, ...ref }: NonNullable<Reproduction['data']>,
  folder: string,
): Promise<string> {
  const batch = await catalog.load(ref, batchId)
  await mkdir(folder)
  const paths: string[] = []
  for await (const { name, body } of batch.parts()) {
    paths.push(join(folder, name))
    await writeFile(join(folder, name), body, { flag: 'wx' })
  }
  return paths.length === 1 && paths[0] !== undefined ? paths[0] : folder
}

async function readModel(path: string): Promise<Uint8Array> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() !== true || found.size > MODEL_BYTES_MAX) throw noModelMade()
  return readFile(path)
}

function notRun({ command: words, extra, data }: Reproduction): CommandError {
  const on =
    data === undefined ? '' : `, on ${data.db}.${data.table}, partition ${data.partition}, batch ${data.batchId}`
  return new CommandError(`It would run, from the artifact's ${extra.size} files: ${words.join(' ')}${on}`, {
    code: 'confirmation-needed',
    next: 'Read what it is, and add --yes: it runs with your rights on this machine, without your AWS credentials.',
  })
}

const ENDINGS: Readonly<Record<Ending['kind'], string>> = {
  exited: 'The command failed',
  killed: 'The command was killed',
  'timed-out': 'The command took too long, and was ended',
  stopped: 'The command was stopped',
}

function failed(ending: Ending): CommandError {
  const detail =
    ending.kind === 'exited' ? ` with ${ending.exitCode}` : ending.kind === 'killed' ? ` by ${ending.signal}` : ''
  return new CommandError(`${ENDINGS[ending.kind]}${detail}`, {
    code: ending.kind === 'timed-out' ? 'reproduce-timeout' : 'reproduce-failed',
    next: 'What it said is above; --timeout gives it longer.',
  })
}

function comparisonLines(version: string, comparison: Comparison): readonly string[] {
  const { isSameFile, rows, largestDifference, labelsChanged, tolerance, holds } = comparison
  const numbers =
    largestDifference === null ? '' : `, numbers at most ${largestDifference} apart (${tolerance} is allowed)`
  return [
    `${version}: made again, ${isSameFile ? 'the same file byte for byte' : 'another file'}`,
    `${rows} golden rows${numbers}, ${labelsChanged} labels changed: ${holds ? 'the same model' : 'another model'}`,
  ]
}

function differs({ largestDifference, labelsChanged }: Comparison): CommandError {
  return new CommandError(
    `What was made answers otherwise: by ${largestDifference ?? 0}, ${labelsChanged} labels changed`,
    {
      code: 'reproduce-differs',
      next: 'Compare library versions and seeds with the papers: millrace model show.',
    },
  )
}
