// `millrace package`: what is deployed, for one architecture, and how big it is.
import type { Command } from './command.ts'
import { UsageError } from './errors.ts'
import { loadPipeline } from './load-pipeline.ts'
import type { Arch } from './onnx-runtime-files.ts'
import { measureFunctions, type PackagedFunction, packagePipeline } from './package-pipeline.ts'
import { STAGE_DEFAULT, stageOf } from './stage.ts'

export const command: Command = {
  name: 'package',
  summary: 'Bundle the functions and write their CloudFormation template, into build/<arch>/.',
  positionals: [],
  options: {
    arch: { type: 'string', value: 'ARCH', default: 'arm64', description: 'arm64 or x64.' },
    stage: {
      type: 'string',
      value: 'STAGE',
      default: STAGE_DEFAULT,
      description: 'Part of every name in the template.',
    },
  },
  changesThings: true,
  async run(context, args) {
    const arch = parseArch(args.requiredText('arch'))
    const stage = stageOf(args, (await loadPipeline(context.cwd)).name)
    const options = { cwd: context.cwd, arch, stage, env: context.env }
    const functions = context.isDryRun ? await measureFunctions(options) : (await packagePipeline(options)).functions
    context.result({ arch, folder: `build/${arch}`, written: !context.isDryRun, functions }, () => [
      ...functions.map(describe),
      context.isDryRun ? 'Nothing was written.' : `build/${arch}/ has a zip for each, template.json and manifest.json.`,
    ])
  },
}

export function parseArch(text: string): Arch {
  if (text === 'arm64' || text === 'x64') return text
  throw new UsageError(`--arch is "${text}"`, 'Give arm64 or x64.')
}

function describe({ name, zipBytes, unzippedBytes }: PackagedFunction): string {
  return `${name.padEnd(10)} ${megabytes(zipBytes).padStart(7)} MB zipped ${megabytes(unzippedBytes).padStart(7)} MB unzipped`
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2)
}
