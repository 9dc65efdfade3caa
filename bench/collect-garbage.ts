// Loaded into the functions of the load before their own code: collects what is garbage every few seconds and notes what is then left, so
// that memory that grows is memory that is held. By itself V8 lets garbage lie until half of what a function has is full, and keeps the
// pages that it has emptied: both take longer than the run to come to rest.
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MEGABYTE, residentMb } from './load-processes.ts'

/** A collection takes about half a second of a core: any more often, and it would weigh on the load. */
const EVERY_MS = 10_000
/** The kind that V8 has for when memory runs out: the only one that gives emptied pages back to the system. */
const WHOLE = { type: 'major', execution: 'sync', flavor: 'last-resort' } as const

const folder = process.env['LOAD_MEMORY_FOLDER']
if (folder === undefined) throw new Error('LOAD_MEMORY_FOLDER is not set: the load names the folder for its functions')
const file = join(folder, String(process.pid))

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: typeof WHOLE) => void
setInterval(() => {
  collect(WHOLE)
  const { heapUsed, external } = process.memoryUsage()
  const resident = residentMb(readFileSync('/proc/self/status', 'utf8'))
  appendFileSync(file, `${Date.now()} ${(heapUsed + external) / MEGABYTE} ${resident}\n`)
}, EVERY_MS).unref()
