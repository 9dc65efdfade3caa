// Writes the goldens of a release: `write-goldens.ts RELEASE [--release]`. Until they are released they may be written again, with a reason
// for why the layout changed; `--release` is done once, and from then on they are only read.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Pipeline } from '../../src/predictions/pipeline.ts'
import { GOLDENS, plainFile, readStored, RELEASED_FILE, storedHashes, writeJson, writeStored } from './golden-files.ts'
import { asJson, openWorld, READERS } from './golden-readers.ts'
import { makeWorld } from './make-world.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { release: { type: 'boolean', default: false } },
})
const [name] = positionals
if (name === undefined || !existsSync(join(GOLDENS, name, 'pipeline.ts'))) {
  throw new Error('Usage: write-goldens.ts RELEASE [--release], where RELEASE/pipeline.ts has its definitions')
}
const releasedFile = join(GOLDENS, name, RELEASED_FILE)
if (existsSync(releasedFile)) throw new Error(`${name} is released: its bytes are what users have, and are only read`)

const { default: pipeline } = (await import(`./${name}/pipeline.ts`)) as { readonly default: Pipeline }
for (const folder of ['stored', 'plain']) rmSync(join(GOLDENS, name, folder), { recursive: true, force: true })
writeStored(name, await makeWorld(pipeline, `${name}.0`))
const world = openWorld(readStored(name))
for (const [kind, read] of Object.entries(READERS)) writeJson(plainFile(name, kind), asJson(await read(world)))
if (values.release) writeJson(releasedFile, storedHashes(name))
process.stdout.write(`${Object.keys(storedHashes(name)).length} stored files of ${name}\n`)
