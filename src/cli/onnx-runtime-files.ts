// ONNX Runtime as a function needs it: its JavaScript and one platform's library. The npm package carries every platform,
// and with them a function would be over Lambda's 250 MB.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, sep } from 'node:path'
import { CommandError } from './errors.ts'
import { type ZipEntry, zipEntry } from './zip-file.ts'

export type Arch = 'arm64' | 'x64'

/** The files below node_modules/ that `import 'onnxruntime-node'` needs on Linux. `packageRoot` is Millrace's own. */
export function onnxRuntimeEntries(packageRoot: string, arch: Arch): readonly ZipEntry[] {
  const runtime = packageFolder('onnxruntime-node', join(packageRoot, 'package.json'))
  const common = packageFolder('onnxruntime-common', join(runtime, 'package.json'))
  const library = join('bin', 'napi-v6', 'linux', arch)
  return [
    ...entriesBelow('onnxruntime-node', runtime, path => path.startsWith('dist') || path.startsWith(library)),
    ...entriesBelow('onnxruntime-common', common, path => path.startsWith(join('dist', 'cjs'))),
  ]
}

function entriesBelow(name: string, folder: string, isWanted: (path: string) => boolean): ZipEntry[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    path =>
      path === 'package.json' ||
      (isWanted(path) && !path.endsWith('.map') && !path.endsWith('.d.ts') && statSync(join(folder, path)).isFile()),
  )
  return paths.map(path =>
    zipEntry(`node_modules/${name}/${path.split(sep).join('/')}`, readFileSync(join(folder, path))),
  )
}

/** Asked of the main file, because a package need not export its package.json. */
function packageFolder(name: string, from: string): string {
  try {
    const main = createRequire(from).resolve(name)
    const folder = join('node_modules', name)
    return main.slice(0, main.lastIndexOf(folder) + folder.length)
  } catch (error) {
    throw new CommandError(`${name} is not installed with millrace`, {
      code: 'tool-missing',
      next: 'Run npm install again: millrace depends on it.',
      cause: error,
    })
  }
}
