import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { readArtifact, readExtra } from '../../src/model/read-artifact.ts'
import { newSigningKeys } from '../../src/model/signature.ts'
import { readZipDirectory } from '../../src/model/zip-directory.ts'
import { papers, papersZip } from '../model/papers.ts'
import { rawZip } from '../model/zip-writer.ts'
import { testWorld } from './cli-world.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-sign-'))
  await writeFile(join(folder, 'churn.zip'), papersZip())
})
afterEach(() => rm(folder, { recursive: true }))

async function millrace(...words: string[]) {
  const world = testWorld({ cwd: folder })
  const exitCode = await runCli(words, COMMANDS, world)
  const { stdout, stderr } = world.written
  return { exitCode, stdout, stderr, json: words.includes('--json') ? JSON.parse(stdout || stderr) : undefined }
}

const artifact = () => readFile(join(folder, 'churn.zip'))
const newKeys = async () =>
  (await millrace('model', 'keys', 'new', '--to', 'key.pem', '--json')).json.publicKey as string

it('makes a key that only its owner may read, and never in place of another one', async () => {
  const publicKey = await newKeys()
  expect(publicKey).toMatch(/^[\w-]{43}$/)
  expect((await stat(join(folder, 'key.pem'))).mode & 0o777).toBe(0o600)
  const pem = await readFile(join(folder, 'key.pem'), 'utf8')
  expect((await millrace('model', 'keys', 'new', '--to', 'key.pem', '--json')).json.error.code).toBe('file-not-written')
  expect(await readFile(join(folder, 'key.pem'), 'utf8')).toBe(pem)
  expect((await millrace('model', 'keys', 'old')).exitCode).toBe(2)
})

it('makes no key in a dry run', async () => {
  const { exitCode, stdout } = await millrace('model', 'keys', 'new', '--dry-run')
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Would write') })
  await expect(stat(join(folder, 'model-signing-key.pem'))).rejects.toMatchObject({ code: 'ENOENT' })
})

it('signs an artifact in place, with every file as it was', async () => {
  const trustedKeys = [await newKeys()]
  const before = await artifact()
  expect(() => readArtifact(before, { trustedKeys })).toThrow(expect.objectContaining({ code: 'signature-missing' }))
  const { exitCode, stdout } = await millrace('model', 'sign', 'churn.zip', '--key', 'key.pem')
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(trustedKeys[0] ?? '') })
  const signed = await artifact()
  expect(readArtifact(signed, { trustedKeys })).toEqual(readArtifact(before))
  expect(readExtra(signed)).toEqual(readExtra(before))
})

it('leaves every other file packed as it was: what was stored is stored, by whatever packer', async () => {
  const trustedKeys = [await newKeys()]
  const entries = papers().map((entry, index) => (index % 2 === 0 ? { ...entry, method: 0 } : entry))
  const before = rawZip({ entries })
  await writeFile(join(folder, 'churn.zip'), before)
  await millrace('model', 'sign', 'churn.zip', '--key', 'key.pem')
  const signed = await artifact()
  expect(readArtifact(signed, { trustedKeys })).toEqual(readArtifact(before))
  const directoryAt = Buffer.from(before).readUInt32LE(before.length - 6)
  expect(signed.subarray(0, directoryAt).equals(Buffer.from(before).subarray(0, directoryAt))).toBe(true)
  const methods = (zip: Uint8Array) =>
    Object.fromEntries(readZipDirectory(zip, { entriesMax: 99 }).map(({ name, method }) => [name, method]))
  expect(methods(signed)).toEqual({ ...methods(before), 'signature.json': 8 })
  expect(Object.values(methods(before))).toEqual([0, 8, 0, 8])
  await millrace('model', 'sign', 'churn.zip', '--key', 'key.pem')
  expect(await artifact()).toEqual(signed)
})

it('signs again, over the signature before', async () => {
  await newKeys()
  await millrace('model', 'sign', 'churn.zip', '--key', 'key.pem')
  const { privatePem, publicKey } = newSigningKeys()
  await writeFile(join(folder, 'new.pem'), privatePem)
  expect((await millrace('model', 'sign', 'churn.zip', '--key', 'new.pem')).exitCode).toBe(0)
  expect(readArtifact(await artifact(), { trustedKeys: [publicKey] }).manifest.name).toBe('churn')
})

it('changes nothing in a dry run, and nothing but the file that --to names', async () => {
  const trustedKeys = [await newKeys()]
  const before = await artifact()
  const dry = await millrace('model', 'sign', 'churn.zip', '--key', 'key.pem', '--dry-run', '--json')
  expect(dry.json).toMatchObject({ name: 'churn', isDryRun: true, publicKey: trustedKeys[0] })
  await millrace('model', 'sign', 'churn.zip', '--key', 'key.pem', '--to', 'signed.zip')
  expect(await artifact()).toEqual(before)
  expect(readArtifact(await readFile(join(folder, 'signed.zip')), { trustedKeys }).manifest.name).toBe('churn')
})

it('signs nothing that is no artifact, and nothing without a key', async () => {
  await newKeys()
  await writeFile(join(folder, 'text.zip'), 'text')
  const code = async (...words: string[]) => (await millrace('model', 'sign', ...words, '--json')).json.error.code
  expect(await code('text.zip', '--key', 'key.pem')).toBe('artifact-invalid')
  expect(await code('churn.zip', '--key', 'churn.zip')).toBe('signing-key-invalid')
  expect(await code('churn.zip', '--key', 'none.pem')).toBe('file-not-found')
  expect((await millrace('model', 'sign', 'churn.zip')).exitCode).toBe(2)
})
