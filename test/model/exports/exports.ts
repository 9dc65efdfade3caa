// The files of this folder, each with the rows and answers that its maker wrote down.
import { readdirSync, readFileSync } from 'node:fs'
import type { DefinedFeature } from '../../../src/model/model-inputs.ts'
import type { Papers } from '../../../src/model/pack-papers.ts'
import { sha256Hex } from '../../../src/platform/hash.ts'

export interface Export {
  readonly about: string
  readonly columns: readonly string[]
  readonly types: readonly ('number' | 'text')[]
  readonly rows: readonly (readonly (number | string)[])[]
  readonly classes?: readonly string[]
  readonly label?: readonly (number | string)[]
  readonly scores?: readonly (readonly number[])[]
  readonly value?: readonly number[]
}

const fileUrl = (name: string): URL => new URL(name, import.meta.url)

export const EXPORTS: readonly string[] = readdirSync(fileUrl('.'))
  .filter(name => name.endsWith('.onnx'))
  .map(name => name.slice(0, -'.onnx'.length))

export function exportBytes(name: string): Uint8Array {
  return Uint8Array.from(readFileSync(fileUrl(`${name}.onnx`)))
}

export function exportOf(name: string): Export {
  return JSON.parse(readFileSync(fileUrl(`${name}.json`), 'utf8')) as Export
}

export const PAPERS: Papers = {
  owner: 'ana',
  who: 'ana',
  when: '2001-05-01T12:00:00Z',
  description: 'Whether a customer leaves.',
  trainingData: { source: 'made up', rows: 400, from: '2001-01-01T00:00:00Z', to: '2001-04-30T00:00:00Z' },
}

export function featuresOf({ columns, types }: Pick<Export, 'columns' | 'types'>): ReadonlyMap<string, DefinedFeature> {
  return new Map(
    columns.map((name, index) => [name, { fingerprint: sha256Hex(name), type: types[index] ?? 'number' }] as const),
  )
}
