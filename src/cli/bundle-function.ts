// One function as one file: everything it imports, minified, but ONNX Runtime, which is native code and goes beside it.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { BuildFailure, Metafile, Plugin } from 'esbuild'
import { CommandError } from './errors.ts'

export interface FunctionBundle {
  readonly code: Uint8Array
  /** Whether the code imports onnxruntime-node. */
  readonly needsOnnxRuntime: boolean
  /** What went in, for the size report and to see whether a package is stale. */
  readonly metafile: Metafile
}

export interface BundleOptions {
  /** The team's repo. */
  readonly cwd: string
  /** In Millrace's own repo `millrace` is its TypeScript, elsewhere what is installed. */
  readonly isOwnRepo: boolean
}

const RUNTIME = 'onnxruntime-node'
/** CommonJS dependencies call `require` for Node's own modules, which an ES module does not have. */
const REQUIRE_FOR_ESM =
  "import{createRequire as requireMaker}from'node:module';const require=requireMaker(import.meta.url);"

/** Bundles `functions/<name>.ts`. Throws CommandError. */
export async function bundleFunction(name: string, { cwd, isOwnRepo }: BundleOptions): Promise<FunctionBundle> {
  const esbuild = await loadEsbuild(cwd)
  const result = await esbuild
    .build({
      absWorkingDir: cwd,
      entryPoints: [join('functions', `${name}.ts`)],
      outfile: 'index.mjs',
      write: false,
      bundle: true,
      minify: true,
      // Errors are logged by their class.
      keepNames: true,
      metafile: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      mainFields: ['module', 'main'],
      conditions: isOwnRepo ? ['millrace-source', 'module'] : ['module'],
      banner: { js: REQUIRE_FOR_ESM },
      legalComments: 'none',
      charset: 'utf8',
      logLevel: 'silent',
      plugins: [onnxRuntimeOutside],
    })
    .catch((error: unknown) => {
      throw bundleError(name, error)
    })
  const output = result.outputFiles[0]
  if (output === undefined) throw bundleError(name, new Error('esbuild wrote nothing'))
  const imports = Object.values(result.metafile.outputs).flatMap(one => one.imports)
  return {
    code: output.contents,
    needsOnnxRuntime: imports.some(one => one.external === true && one.path === RUNTIME),
    metafile: result.metafile,
  }
}

/** External, and dropped where nothing of it is used: a function that evaluates no model must not carry it. */
const onnxRuntimeOutside: Plugin = {
  name: 'onnxruntime-outside',
  setup(build) {
    build.onResolve({ filter: /^onnxruntime-node$/ }, ({ path }) => ({ path, external: true, sideEffects: false }))
  },
}

/** esbuild is the team's own devDependency: its version is theirs to choose. */
async function loadEsbuild(cwd: string): Promise<typeof import('esbuild')> {
  try {
    const path = createRequire(join(cwd, 'package.json')).resolve('esbuild')
    const loaded = (await import(path)) as { readonly default: typeof import('esbuild') }
    return loaded.default
  } catch (error) {
    throw new CommandError(`esbuild is not installed in ${cwd}`, {
      code: 'tool-missing',
      next: 'npm install --save-dev --save-exact esbuild',
      cause: error,
    })
  }
}

function bundleError(name: string, cause: unknown): CommandError {
  const failure = cause as Partial<BuildFailure> & Error
  const first = failure.errors?.[0]
  const place = first?.location ? ` (${first.location.file}:${first.location.line})` : ''
  return new CommandError(`functions/${name}.ts cannot be bundled: ${first?.text ?? failure.message}${place}`, {
    code: 'bundle-failed',
    next: 'npm run check shows the type errors of the whole repo.',
    cause,
  })
}
