// Runs on whatever Node is there, before anything is installed: every script of package.json starts here, so that each
// works on a fresh clone. Installs from the lock file once, and again whenever the lock file is newer than the install.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const lock = join(root, 'package-lock.json')
const installed = join(root, 'node_modules', '.package-lock.json')
const isCurrent = existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs

if (!isCurrent) {
  console.error(
    'Installing the development tools once: about 350 packages, 900 MB on disk (a third of it ONNX Runtime).',
  )
  const npm = process.env.npm_execpath
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []]
  const result = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    // onnxruntime-node would otherwise fetch GPU libraries that nothing here uses.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  })
  if (result.status !== 0) {
    console.error('npm ci failed. Its own message is above; run `npm ci` by itself to see more.')
    process.exit(result.status ?? 1)
  }
}

// A package's own command is not linked into its own node_modules, and `npx millrace` should work here as it does for a team.
const link = join(root, 'node_modules', '.bin', 'millrace')
if (!existsSync(link)) {
  mkdirSync(dirname(link), { recursive: true })
  rmSync(link, { force: true })
  symlinkSync('../../bin/millrace.mjs', link)
}
