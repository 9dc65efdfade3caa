// `millrace model sign`: puts a signature over the manifest's hash into an artifact. No other byte of its files changes, packed as they
// are, so that it is still the model that was tried; sign before publishing, since a version is its bytes.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { readArtifact, readManifestBytes, SIGNATURE_FILE } from '../model/read-artifact.ts'
import { signingPublicKey, signManifest } from '../model/signature.ts'
import type { Command } from './command.ts'
import { CommandError } from './errors.ts'
import { withZipFile } from './zip-with-file.ts'

export const command: Command = {
  name: 'model sign',
  summary: 'Sign an artifact, so that deployments that trust the key take it.',
  positionals: ['file.zip'],
  options: {
    key: {
      type: 'string',
      value: 'KEY.pem',
      required: true,
      description: 'The private key; `model keys new` makes one.',
    },
    to: { type: 'string', value: 'FILE', description: 'Where the signed artifact goes. Default: in place.' },
  },
  changesThings: true,
  async run(context, args) {
    const path = resolve(context.cwd, args.positional('file.zip'))
    const target = resolve(context.cwd, args.text('to') ?? path)
    const pem = Buffer.from(await read(resolve(context.cwd, args.requiredText('key')))).toString()
    const zip = await read(path)
    const { name } = readArtifact(zip).manifest
    const signed = withZipFile(zip, SIGNATURE_FILE, signManifest(readManifestBytes(zip), pem))
    // What was written is read as a function will read it, before anybody has to.
    const publicKey = signingPublicKey(pem)
    readArtifact(signed, { trustedKeys: [publicKey] })
    if (!context.isDryRun) await replace(target, signed)
    context.result({ name, file: target, publicKey, isDryRun: context.isDryRun, bytes: signed.length }, () => [
      `${context.isDryRun ? 'Would sign' : 'Signed'} ${name}, ${target}, with the key ${publicKey}`,
    ])
  },
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new CommandError(`${path} cannot be read`, {
      code: 'file-not-found',
      next: 'Name the zip that `millrace model pack` wrote, and the key that `millrace model keys new` wrote.',
      cause,
    })
  }
}

/** Whole or not at all. */
async function replace(path: string, content: Uint8Array): Promise<void> {
  const beside = `${path}.new`
  await writeFile(beside, content)
  await rename(beside, path)
}
