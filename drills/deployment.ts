// The pipeline of this repo in a folder of its own, below build/, whose events.ts a drill may edit; packaged as it would be deployed, with
// windows that nobody has to wait for; and the local cloud that it is deployed to, once or anew over what was stored.
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LocalCloud, startLocalCloud } from '../localstack/local-cloud.ts'
import type { Refuse } from '../localstack/refusal.ts'
import { bundleFunction } from '../src/cli/bundle-function.ts'
import { type Arch, onnxRuntimeEntries } from '../src/cli/onnx-runtime-files.ts'
import { buildFolder, currentPackage, packagePipeline } from '../src/cli/package-pipeline.ts'
import { STAGE_DEFAULT } from '../src/cli/stage.ts'
import { zipEntry, zipFile } from '../src/cli/zip-file.ts'
import type { DeploymentSettings } from './drill.ts'

const ROOT = join(import.meta.dirname, '..')
const POLL_MS = 50
/** Of the archive: a minute where it is deployed, for fewer and larger objects. */
const ARCHIVE_WINDOW_SECONDS = 1
const RECOMPUTE_WINDOW_SECONDS = 0
/** How long a looked-up production model is believed: half a minute where it is deployed. */
const MODEL_REFRESH_MS = 1000
/** Functions whose code knows the contracts or the features. */
const EDITED_FUNCTIONS = ['recompute', 'serve'] as const

export interface DrillFolder {
  /** Where commands are typed. */
  readonly path: string
  /** Packages what the folder has now. */
  deployable(edit?: (eventsSource: string) => string): Promise<void>
  start(options: { readonly refuse: Refuse; readonly log: (line: string) => void }): Promise<LocalCloud>
  remove(): void
}

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Properties: Record<string, unknown> } | undefined>>
}

export async function openDrillFolder(name: string, settings: DeploymentSettings): Promise<DrillFolder> {
  const wanted = { cwd: ROOT, env: process.env, arch: process.arch as Arch, stage: STAGE_DEFAULT }
  if (currentPackage(wanted) === undefined) await packagePipeline(wanted)
  const built = buildFolder(ROOT, wanted.arch)
  const path = join(ROOT, 'build', 'drills', `${name}-${process.pid}`)
  for (const part of [join('src', 'pipeline'), 'functions', 'serverless.yml'])
    cpSync(join(ROOT, part), join(path, part), { recursive: true })
  const packaged = join(path, 'package')
  mkdirSync(packaged)
  const template = drillTemplate(readFileSync(join(built, 'template.json'), 'utf8'), settings)
  writeFileSync(join(packaged, 'template.json'), template)
  const zipOf = (key: string): string => join(packaged, `${key}.zip`)
  for (const key of ['archive', 'compact', 'ingest', 'recompute', 'serve', 'snapshot'])
    symlinkSync(join(built, `${key}.zip`), zipOf(key))
  const eventsFile = join(path, 'src', 'pipeline', 'events.ts')
  const eventsSource = readFileSync(eventsFile, 'utf8')
  return {
    path,
    async deployable(edit) {
      writeFileSync(eventsFile, edit?.(eventsSource) ?? eventsSource)
      for (const key of EDITED_FUNCTIONS) {
        rmSync(zipOf(key))
        if (edit === undefined) symlinkSync(join(built, `${key}.zip`), zipOf(key))
        else writeFileSync(zipOf(key), await zipOfFunction(key, path, wanted.arch))
      }
    },
    start: ({ refuse, log }) =>
      startLocalCloud({
        build: { template: join(packaged, 'template.json'), zipFolder: packaged },
        port: 0,
        pollMs: POLL_MS,
        environmentsMax: 1,
        refuse,
        log: (source, line) => log(`${source}: ${line}`),
        ...(settings.isDeployedAnew ? { path: join(path, 'cloud') } : {}),
      }),
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** `millrace` is found by the folder's being inside of this repo, as it is in the repo's own pipeline. */
async function zipOfFunction(key: string, cwd: string, arch: Arch): Promise<Uint8Array> {
  const { code, needsOnnxRuntime } = await bundleFunction(key, { cwd, isOwnRepo: true })
  return zipFile([zipEntry('index.mjs', code), ...(needsOnnxRuntime ? onnxRuntimeEntries(ROOT, arch) : [])])
}

function drillTemplate(text: string, { retriesMax }: DeploymentSettings): string {
  const template = JSON.parse(text) as Template
  const properties = (resource: string): Record<string, unknown> => {
    const found = template.Resources[resource]?.Properties
    if (found === undefined) throw new Error(`The packaged template has no ${resource}`)
    return found
  }
  properties('ArchiveMapping')['MaximumBatchingWindowInSeconds'] = ARCHIVE_WINDOW_SECONDS
  properties('RecomputeMapping')['MaximumBatchingWindowInSeconds'] = RECOMPUTE_WINDOW_SECONDS
  if (retriesMax !== undefined) properties('RecomputeMapping')['MaximumRetryAttempts'] = retriesMax
  for (const resource of ['RecomputeLambdaFunction', 'ServeLambdaFunction']) {
    const { Variables } = properties(resource)['Environment'] as { readonly Variables: Record<string, string> }
    Variables['MILLRACE_MODEL_REFRESH_MS'] = String(MODEL_REFRESH_MS)
  }
  return JSON.stringify(template)
}
