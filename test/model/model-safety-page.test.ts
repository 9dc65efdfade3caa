// The page explains every code with which an artifact or a model can be refused, and no code that there is not.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from '../tidy/source-files.ts'
import { hostileCases } from './hostile-cases.ts'
import { inputs } from './factories.ts'

const FILES = [
  'artifact-manifest',
  'check-model-file',
  'check-zip-entries',
  'golden',
  'onnx-binding',
  'onnx-session',
  'read-artifact',
  'require-golden',
  'signature',
  'trial-load',
  'zip-directory',
]
const CODE = /'((?:artifact|golden|manifest|model|signature|signing|trial)-[a-z0-9-]+)'/g

const explained = [...readFileSync(join(ROOT, 'docs/model-safety.md'), 'utf8').matchAll(/^\| `([a-z0-9-]+)`/gm)].map(
  match => match[1],
)

test('explains each code of the source, once', () => {
  const sources = FILES.map(name => readFileSync(join(ROOT, 'src/model', `${name}.ts`), 'utf8')).join('\n')
  const codes = new Set([...sources.matchAll(CODE)].map(match => match[1]))
  expect(codes.size).toBeGreaterThan(30)
  expect(new Set(explained)).toEqual(codes)
  expect(explained.length).toBe(codes.size)
})

test('explains what each hostile artifact is refused with', () => {
  const codes = new Set(hostileCases(inputs('a', 'b', 'c')).map(({ code }) => code))
  expect([...codes].filter(code => !explained.includes(code))).toEqual([])
})
