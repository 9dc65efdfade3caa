#!/usr/bin/env node
// The command. In an installed package it runs the compiled CLI; in the repo itself it runs the TypeScript as it stands.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const source = join(root, 'src', 'cli', 'main.ts')
if (existsSync(source)) {
  const node24 = join(root, 'node_modules', 'node', 'bin', 'node')
  const result = spawnSync(
    existsSync(node24) ? node24 : process.execPath,
    ['--conditions=millrace-source', source, ...process.argv.slice(2)],
    { stdio: 'inherit' },
  )
  process.exit(result.status ?? 1)
} else {
  await import(join(root, 'dist', 'src', 'cli', 'main.js'))
}
