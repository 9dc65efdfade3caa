// `millrace local`: the packaged pipeline on this machine, until it is stopped. What runs is what would be deployed; it is
// packaged first where it is not, or where something that went in has changed.
import { join, resolve } from 'node:path'
import { type LocalCloud, startLocalCloud } from '../../localstack/local-cloud.ts'
import { connect } from '../compose/connect.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { recordDeployed } from '../recompute/record-deployed.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError } from './errors.ts'
import { loadPipeline } from './load-pipeline.ts'
import type { Arch } from './onnx-runtime-files.ts'
import { packageFacts } from './package-root.ts'
import { STAGE_DEFAULT } from './stage.ts'
import { buildFolder, currentPackage, packagePipeline } from './package-pipeline.ts'
import { sampleEvent } from './sample-event.ts'

const SAMPLE_USER = 'u1'

export const command: Command = {
  name: 'local',
  summary: 'Run the packaged pipeline on this machine until it is stopped.',
  positionals: [],
  options: {
    port: { type: 'string', value: 'PORT', description: 'This one. Default: 4566, or a free one if that is taken.' },
    path: {
      type: 'string',
      value: 'FOLDER',
      description: 'Keep streams, tables and objects there; in memory without it.',
    },
  },
  runsUntilStopped: true,
  async run(context, args) {
    const port = args.wholeNumber('port', { min: 1, max: 65_535 })
    const path = args.text('path')
    const pipeline = await loadPipeline(context.cwd)
    const folder = await ensurePackaged(context)
    const cloud = await startLocalCloud({
      build: { template: join(folder, 'template.json'), zipFolder: folder },
      log: (source, line) => context.stderr.write(`${source}: ${line}\n`),
      ...(port === undefined ? {} : { port }),
      ...(path === undefined ? {} : { path: resolve(context.cwd, path) }),
    })
    try {
      await cloud.startAll()
      await recordLocal(cloud, pipeline, context)
      context.result({ endpoint: cloud.endpoint, outputs: cloud.outputs, notes: cloud.notes }, () =>
        describe(cloud, pipeline, context.clock()),
      )
      await untilAborted(context.signal)
    } finally {
      await cloud.stop()
    }
  },
}

/** As the last step of any deploy, so that `millrace plan` says what an edit changes. */
async function recordLocal({ endpoint }: LocalCloud, pipeline: Pipeline, { env }: CommandContext): Promise<void> {
  const stage = STAGE_DEFAULT
  const connection = connect({ pipeline: pipeline.name, stage, env: { ...env, AWS_ENDPOINT_URL: endpoint } })
  try {
    const input = { stage, release: packageFacts().version, who: 'millrace local', why: 'deployed on this machine' }
    await recordDeployed(connection.catalog, compilePipeline(pipeline), input)
  } finally {
    connection.close()
  }
}

/** The folder of a package for this machine that is up to date. */
async function ensurePackaged({ cwd, env, stderr }: CommandContext): Promise<string> {
  const options = { cwd, env, arch: thisArch(), stage: STAGE_DEFAULT }
  if (currentPackage(options) === undefined) {
    stderr.write(`Packaging for ${options.arch} ...\n`)
    await packagePipeline(options)
  }
  return buildFolder(cwd, options.arch)
}

function thisArch(): Arch {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch
  throw new CommandError(`Functions cannot be packaged for ${process.arch}`, {
    code: 'arch-unsupported',
    next: 'Use a machine with an x64 or arm64 processor.',
  })
}

function describe({ endpoint, notes }: LocalCloud, pipeline: Pipeline, nowMs: number): readonly string[] {
  const contract = pipeline.events[0]
  const push =
    contract === undefined
      ? []
      : [
          `  curl -s ${endpoint}/events -H 'content-type: application/json' -d '${sampleBody(pipeline, contract, nowMs)}'`,
        ]
  return [
    `${pipeline.name} runs at ${endpoint} (AWS_ENDPOINT_URL for other tools). Ctrl-C stops it.`,
    ...notes.map(note => `Note: ${note}`),
    'Push an event:',
    ...push,
    'Read the user it affects:',
    `  curl -s --compressed ${endpoint}/users/${SAMPLE_USER}`,
  ]
}

/** Between single quotes of a shell, which JSON text could leave by a quote of its own. */
function sampleBody(pipeline: Pipeline, contract: Pipeline['events'][number], nowMs: number): string {
  const options = { typePath: pipeline.typePath, id: '1', userId: SAMPLE_USER, nowMs }
  return JSON.stringify(sampleEvent(contract, options)).replaceAll("'", '\\u0027')
}

/** Resolves once the signal is aborted. */
function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(done => {
    if (signal.aborted) return done()
    signal.addEventListener('abort', () => done(), { once: true })
  })
}
