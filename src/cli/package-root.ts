// Where the package itself is, from the TypeScript in the repo and from `dist` alike: the nearest folder above whose
// package.json is named millrace.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandError } from './errors.ts'

export interface PackageFacts {
  readonly root: string
  readonly version: string
  readonly devDependencies: Readonly<Record<string, string>>
  readonly allowScripts: Readonly<Record<string, boolean>>
}

export function packageFacts(): PackageFacts {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (!existsSync(file)) continue
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Partial<PackageFacts> & { readonly name?: string }
    if (manifest.name !== 'millrace') continue
    return {
      root: folder,
      version: manifest.version ?? '',
      devDependencies: manifest.devDependencies ?? {},
      allowScripts: manifest.allowScripts ?? {},
    }
  }
  throw new CommandError('The package millrace has no package.json above its code', {
    code: 'package-broken',
    next: 'Install it again.',
  })
}
