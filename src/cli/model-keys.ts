// `millrace model keys new`: a pair of keys to sign artifacts with. The private one goes into a file that only its owner may read; the public
// one is printed, for the deployments that shall trust it.
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { newSigningKeys } from '../model/signature.ts'
import type { Command } from './command.ts'
import { CommandError, UsageError } from './errors.ts'

const FILE_DEFAULT = 'model-signing-key.pem'
const OWNER_ONLY = 0o600

export const command: Command = {
  name: 'model keys',
  summary: 'Make a pair of keys to sign model artifacts with: `model keys new`.',
  positionals: ['new'],
  options: {
    to: { type: 'string', value: 'FILE', description: `Where the private key goes. Default: ${FILE_DEFAULT}.` },
  },
  changesThings: true,
  async run(context, args) {
    if (args.positional('new') !== 'new') {
      throw new UsageError(`"${args.positional('new')}" cannot be done with keys`, 'Only: millrace model keys new.')
    }
    const path = resolve(context.cwd, args.text('to') ?? FILE_DEFAULT)
    if (context.isDryRun) {
      context.result({ isDryRun: true, file: path }, () => `Would write a new private key to ${path}`)
      return
    }
    const { privatePem, publicKey } = newSigningKeys()
    await writeNew(path, privatePem)
    context.result({ file: path, publicKey }, () => [
      `Wrote the private key to ${path}: keep it where secrets are kept, and out of the repo.`,
      `The public key, for modelKeys in serverless.yml and for MILLRACE_MODEL_KEYS where models are published:`,
      publicKey,
    ])
  },
}

/** A key that is there is never replaced: what it has signed would be trusted no more. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: OWNER_ONLY, flag: 'wx' })
  } catch (cause) {
    throw new CommandError(`The key cannot be written to ${path}`, {
      code: 'file-not-written',
      next: 'Name a file that is not there yet, in a folder that is: --to FILE.',
      cause,
    })
  }
}
