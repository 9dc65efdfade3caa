#!/usr/bin/env node
// The command. In an installed package it runs the compiled CLI, in the repo itself the TypeScript as it stands. A pipeline
// is TypeScript that Node loads as it is, which needs Node 24: the one in node_modules is taken where this one is older.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const NODE_MAJOR_WANTED = 24
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const source = join(root, 'src', 'cli', 'main.ts')
const isSource = existsSync(source)
const main = isSource ? source : join(root, 'dist', 'src', 'cli', 'main.js')
const isOldNode = Number(process.versions.node.split('.')[0]) < NODE_MAJOR_WANTED
const node = isOldNode ? installedNode() : process.execPath

if (isSource || node !== process.execPath) runIn(node, isSource ? ['--conditions=millrace-source', main] : [main])
else await import(pathToFileURL(main).href)

/** Node 24 from the npm package `node`, looked for where the command was called and where it lives; else this Node. */
function installedNode() {
  for (const from of [join(process.cwd(), 'package.json'), join(root, 'package.json')]) {
    try {
      const binary = join(dirname(createRequire(from).resolve('node/package.json')), 'bin', 'node')
      if (existsSync(binary)) return binary
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  return process.execPath
}

/** A child that lives and dies with this process: signals go on to it, its exit code (or signal) comes back. */
function runIn(binary, words) {
  const child = spawn(binary, [...words, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', error => {
    console.error(`Cannot start ${binary}: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
