// This repo's pipeline, packaged for this machine and made ready for the local cloud: with as many shards as a test wants, and with
// windows that a test can wait for.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildFolder, currentPackage, packagePipeline } from '../../src/cli/package-pipeline.ts'
import type { Arch } from '../../src/cli/onnx-runtime-files.ts'
import { STAGE_DEFAULT } from '../../src/cli/stage.ts'

export interface PackagedCloud {
  readonly build: { readonly template: string; readonly zipFolder: string }
  remove(): Promise<void>
}

export interface PackagedCloudOptions {
  readonly shards: number
  /** Of the archive: 60 s where it is deployed. */
  readonly archiveWindowSeconds: number
  readonly recomputeWindowSeconds: number
  /** Of archive's processes, as deployed unless given: V8 collects garbage by how much memory there is. */
  readonly archiveMemoryMb?: number
  /** That every function gets besides its own. */
  readonly variables?: Readonly<Record<string, string>>
}

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>>
}

const ROOT = join(import.meta.dirname, '..', '..')

/** Packages where what is there is not of now. */
export async function packagedCloud(options: PackagedCloudOptions): Promise<PackagedCloud> {
  const wanted = { cwd: ROOT, env: process.env, arch: process.arch as Arch, stage: STAGE_DEFAULT }
  if (currentPackage(wanted) === undefined) await packagePipeline(wanted)
  const zipFolder = buildFolder(ROOT, wanted.arch)
  const template = JSON.parse(await readFile(join(zipFolder, 'template.json'), 'utf8')) as Template
  set(template, 'EventsStream', 'ShardCount', options.shards)
  set(template, 'RecomputeMapping', 'MaximumBatchingWindowInSeconds', options.recomputeWindowSeconds)
  set(template, 'ArchiveMapping', 'MaximumBatchingWindowInSeconds', options.archiveWindowSeconds)
  if (options.archiveMemoryMb !== undefined)
    set(template, 'ArchiveLambdaFunction', 'MemorySize', options.archiveMemoryMb)
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type !== 'AWS::Lambda::Function' || options.variables === undefined) continue
    const environment = Properties['Environment'] as { readonly Variables?: object } | undefined
    Properties['Environment'] = { Variables: { ...environment?.Variables, ...options.variables } }
  }
  const folder = await mkdtemp(join(tmpdir(), 'millrace-packaged-'))
  const file = join(folder, 'template.json')
  await writeFile(file, JSON.stringify(template))
  return { build: { template: file, zipFolder }, remove: () => rm(folder, { recursive: true, force: true }) }
}

function set(template: Template, resource: string, property: string, value: number): void {
  const properties = template.Resources[resource]?.Properties
  if (properties === undefined) throw new Error(`The packaged template has no ${resource}`)
  properties[property] = value
}
