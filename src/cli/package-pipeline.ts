// Everything that is deployed, made in build/<arch>/: a zip per function, the CloudFormation template, and manifest.json,
// which says what went in, so that a stale package is found without making it again.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { sha256Hex } from '../platform/hash.ts'
import { compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { definitionTooBig } from '../recompute/definition-too-big.ts'
import { estimateItem } from '../recompute/estimate-item.ts'
import { bundleFunction, type FunctionBundle } from './bundle-function.ts'
import { CommandError } from './errors.ts'
import { loadPipeline } from './load-pipeline.ts'
import { type Arch, onnxRuntimeEntries } from './onnx-runtime-files.ts'
import { packageFacts } from './package-root.ts'
import { packageTemplate } from './write-template.ts'
import { type ZipEntry, zipEntry, zipFile } from './zip-file.ts'

export interface PackageOptions {
  readonly cwd: string
  readonly arch: Arch
  readonly stage: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface PackagedFunction {
  readonly name: string
  readonly zipBytes: number
  /** What Lambda counts against its 250 MB. */
  readonly unzippedBytes: number
  readonly sha256: string
}

export interface PackageManifest {
  readonly pipeline: string
  readonly arch: Arch
  readonly stage: string
  readonly functions: readonly PackagedFunction[]
  /** Path below the repo → SHA-256, of every file that went in. */
  readonly inputs: Readonly<Record<string, string>>
}

interface FunctionZip {
  readonly packaged: PackagedFunction
  readonly zip: Uint8Array
  readonly bundle: FunctionBundle
}

export function buildFolder(cwd: string, arch: Arch): string {
  return join(cwd, 'build', arch)
}

/** Bundles and writes everything. Throws CommandError. */
export async function packagePipeline(options: PackageOptions): Promise<PackageManifest> {
  const { cwd, arch, stage } = options
  const pipeline = await loadPipeline(cwd)
  refuseTooBig(pipeline)
  const zips = await zipFunctions(options)
  const folder = buildFolder(cwd, arch)
  mkdirSync(folder, { recursive: true })
  for (const { packaged, zip, bundle } of zips) {
    replaceFile(join(folder, `${packaged.name}.zip`), zip)
    replaceFile(join(folder, `${packaged.name}.meta.json`), JSON.stringify(bundle.metafile))
  }
  const template = await packageTemplate(cwd, options)
  if (template.service !== pipeline.name) {
    throw new CommandError(`serverless.yml is the service "${template.service}", the pipeline is "${pipeline.name}"`, {
      code: 'service-name-differs',
      next: `Write "service: ${pipeline.name}" in serverless.yml: resources are found by the pipeline's name.`,
    })
  }
  replaceFile(join(folder, 'template.json'), template.text)
  const functions = zips.map(zip => zip.packaged)
  const manifest = { pipeline: pipeline.name, arch, stage, functions, inputs: hashInputs(cwd, zips) }
  replaceFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  return manifest
}

/** What is packaged is what gets deployed: users of it must fit. */
function refuseTooBig(pipeline: Pipeline): void {
  const tooBig = definitionTooBig(estimateItem(compilePipeline(pipeline)))
  if (tooBig !== undefined) throw tooBig
}

/** What `packagePipeline` would write, without writing it. */
export async function measureFunctions(options: PackageOptions): Promise<readonly PackagedFunction[]> {
  refuseTooBig(await loadPipeline(options.cwd))
  return (await zipFunctions(options)).map(zip => zip.packaged)
}

/** The manifest of a package that is there and made from what is there now; undefined where it must be made. */
export function currentPackage({ cwd, arch, stage }: PackageOptions): PackageManifest | undefined {
  const folder = buildFolder(cwd, arch)
  const file = join(folder, 'manifest.json')
  if (!existsSync(file)) return undefined
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as PackageManifest
  const isWhole = functionNames(cwd).every(name => existsSync(join(folder, `${name}.zip`)))
  const isSame = Object.entries(manifest.inputs).every(([path, hash]) => hashFile(join(cwd, path)) === hash)
  return isWhole && isSame && manifest.stage === stage ? manifest : undefined
}

async function zipFunctions({ cwd, arch }: PackageOptions): Promise<readonly FunctionZip[]> {
  const { root } = packageFacts()
  const bundles = new Map<string, FunctionBundle>()
  for (const name of functionNames(cwd)) bundles.set(name, await bundleFunction(name, { cwd, isOwnRepo: cwd === root }))
  const isRuntimeNeeded = [...bundles.values()].some(bundle => bundle.needsOnnxRuntime)
  const runtime = isRuntimeNeeded ? onnxRuntimeEntries(root, arch) : []
  return [...bundles].map(([name, bundle]) => {
    const entries: ZipEntry[] = [zipEntry('index.mjs', bundle.code), ...(bundle.needsOnnxRuntime ? runtime : [])]
    const zip = zipFile(entries)
    const unzippedBytes = entries.reduce((sum, entry) => sum + entry.plainBytes, 0)
    return { packaged: { name, zipBytes: zip.length, unzippedBytes, sha256: sha256Hex(zip) }, zip, bundle }
  })
}

function functionNames(cwd: string): readonly string[] {
  const folder = join(cwd, 'functions')
  const files = existsSync(folder) ? readdirSync(folder).filter(file => file.endsWith('.ts')) : []
  if (files.length === 0) {
    throw new CommandError(`There are no functions in ${folder}`, {
      code: 'functions-missing',
      next: 'Copy the folder functions/ from the package millrace.',
    })
  }
  return files.map(file => basename(file, '.ts')).toSorted()
}

/** What is not in a metafile: the lock file says ONNX Runtime's version, the packager's own sources change in its own repo. */
const OTHER_INPUTS = [
  'serverless.yml',
  'package-lock.json',
  ...['bundle-function', 'onnx-runtime-files', 'package-pipeline', 'zip-file'].map(name => `src/cli/${name}.ts`),
]

function hashInputs(cwd: string, zips: readonly FunctionZip[]): Record<string, string> {
  const paths = new Set([...OTHER_INPUTS, ...cloudFiles(cwd)])
  for (const { bundle } of zips) for (const path of Object.keys(bundle.metafile.inputs)) paths.add(path)
  return Object.fromEntries([...paths].toSorted().map(path => [path, hashFile(join(cwd, path))]))
}

function cloudFiles(cwd: string): readonly string[] {
  for (const folder of [join('node_modules', 'millrace', 'cloud'), 'cloud']) {
    if (existsSync(join(cwd, folder))) return readdirSync(join(cwd, folder)).map(file => join(folder, file))
  }
  return []
}

/** Empty where there is no such file, which is a state like any other. */
function hashFile(path: string): string {
  return existsSync(path) ? sha256Hex(readFileSync(path)) : ''
}

/** Whole or not at all: somebody may be reading the file that was there. */
function replaceFile(path: string, content: string | Uint8Array): void {
  const draft = `${path}.${process.pid}.draft`
  writeFileSync(draft, content)
  renameSync(draft, path)
}
