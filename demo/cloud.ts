// The demo's local cloud: the packaged template of this repo, deployed on this machine, and the connection to it.
import { mkdirSync, createWriteStream } from 'node:fs'
import { dirname, join } from 'node:path'
import { type LocalCloud, startLocalCloud } from '../localstack/local-cloud.ts'
import type { Arch } from '../src/cli/onnx-runtime-files.ts'
import { buildFolder, currentPackage, packagePipeline } from '../src/cli/package-pipeline.ts'
import { STAGE_DEFAULT } from '../src/cli/stage.ts'
import { type Connection, connect } from '../src/compose/connect.ts'
import pipeline from '../src/pipeline/index.ts'
import type { Phases } from './phases.ts'

export interface DemoCloud {
  readonly local: LocalCloud
  readonly connection: Connection
  stop(): Promise<void>
}

const ROOT = join(import.meta.dirname, '..')
const LOG_FILE = join(ROOT, 'build', 'demo.log')

/** The folder of the package for this machine. */
export async function packageForDemo(demo: Phases): Promise<string> {
  const options = { cwd: ROOT, env: process.env, arch: process.arch as Arch, stage: STAGE_DEFAULT }
  const manifest = currentPackage(options) ?? (await packagePipeline(options))
  for (const { name, zipBytes, unzippedBytes } of manifest.functions) {
    demo.say(`${name.padEnd(10)} ${megabytes(zipBytes)} zipped, ${megabytes(unzippedBytes)} unzipped`)
  }
  return buildFolder(ROOT, options.arch)
}

export async function startDemoCloud(folder: string, demo: Phases): Promise<DemoCloud> {
  mkdirSync(dirname(LOG_FILE), { recursive: true })
  const log = createWriteStream(LOG_FILE)
  const local = await startLocalCloud({
    build: { template: join(folder, 'template.json'), zipFolder: folder },
    log: (source, line) => void log.write(`${source}: ${line}\n`),
  })
  await local.startAll()
  const env = { AWS_ENDPOINT_URL: local.endpoint }
  const connection = connect({ pipeline: pipeline.name, stage: STAGE_DEFAULT, env })
  demo.say(`at ${local.endpoint}; what the functions log goes to build/demo.log`)
  for (const note of local.notes) demo.say(note)
  return {
    local,
    connection,
    stop: async () => {
      connection.close()
      await local.stop()
      log.end()
    },
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
