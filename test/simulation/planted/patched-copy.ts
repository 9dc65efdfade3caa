// A copy of the repo's code with a few lines changed, to be run beside the real one: a planted bug, or a part switched off to see what it
// costs. What runs is the code itself, with no switch in it that could be left on; a patch that no longer fits says so.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..', '..')

export interface Patch {
  /** Relative to the root. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
}

export interface PatchedCopy {
  readonly folder: string
  remove(): void
}

/** Copied, since a module that is linked is resolved to where it lies, and imports its neighbours there. */
const COPIED = ['src', 'localstack', 'test', 'bench', 'functions', 'package.json', 'tsconfig.json', 'vitest.config.ts']
/** Only read, or too large to copy. */
const LINKED = ['node_modules', 'models']

export class StalePatchError extends Error {
  readonly file: string

  constructor(file: string, problem: string) {
    super(`The patch of ${file} is stale: ${problem}. Write it anew against the code as it is.`)
    this.name = 'StalePatchError'
    this.file = file
  }
}

/** The caller removes it. Throws StalePatchError, and leaves nothing behind then. */
export function patchedCopy(patches: readonly Patch[]): PatchedCopy {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-patched-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
    for (const name of LINKED) symlinkSync(join(ROOT, name), join(folder, name))
    for (const [file, text] of patchedTexts(patches)) writeFileSync(join(folder, file), text)
  } catch (error) {
    remove()
    throw error
  }
  return { folder, remove }
}

/** By file, what the patches make of it; one file may have several. Throws StalePatchError. */
export function patchedTexts(patches: readonly Patch[]): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const patch of patches) texts.set(patch.file, applyPatch(texts.get(patch.file) ?? read(patch.file), patch))
  return texts
}

export function applyPatch(text: string, { file, find, replace }: Patch): string {
  const index = text.indexOf(find)
  if (find === '' || index < 0) throw new StalePatchError(file, `what it replaces is not there:\n${find}\n`)
  if (text.includes(find, index + 1)) throw new StalePatchError(file, `what it replaces is there twice:\n${find}\n`)
  if (find === replace) throw new StalePatchError(file, 'it changes nothing')
  return text.slice(0, index) + replace + text.slice(index + find.length)
}

function read(file: string): string {
  const path = join(ROOT, file)
  if (!existsSync(path)) throw new StalePatchError(file, 'the file is gone')
  return readFileSync(path, 'utf8')
}
