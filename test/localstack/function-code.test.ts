import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { unpackFunction } from '../../localstack/function-code.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-test-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function unpack(entries: Record<string, string>): Promise<string> {
  const zipFile = join(folder, 'code.zip')
  await writeFile(
    zipFile,
    zipSync(Object.fromEntries(Object.entries(entries).map(([name, text]) => [name, strToU8(text)]))),
  )
  await unpackFunction(zipFile, join(folder, 'inside'))
  return join(folder, 'inside')
}

it('unpacks files into their folders', async () => {
  const inside = await unpack({ 'index.mjs': 'code', 'node_modules/native/lib.node': 'binary' })
  expect(await readFile(join(inside, 'index.mjs'), 'utf8')).toBe('code')
  expect(await readFile(join(inside, 'node_modules/native/lib.node'), 'utf8')).toBe('binary')
})

it.each(['../outside.js', 'a/../../outside.js', '/outside.js', 'a\\..\\..\\outside.js', 'C:outside.js'])(
  'refuses an entry named %s and writes nothing',
  async name => {
    await expect(unpack({ 'index.mjs': 'code', [name]: 'bad' })).rejects.toMatchObject({ code: 'function-zip-unsafe' })
    await expect(readFile(join(folder, 'inside', 'index.mjs'))).rejects.toMatchObject({ code: 'ENOENT' })
  },
)

it('says what to do when the zip is not there', async () => {
  await expect(unpackFunction(join(folder, 'none.zip'), folder)).rejects.toMatchObject({
    code: 'function-zip-missing',
    next: expect.stringContaining('npm run package'),
  })
})
