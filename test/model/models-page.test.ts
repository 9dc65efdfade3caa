import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readArtifactManifest } from '../../src/model/artifact-manifest.ts'

test('the manifest in docs/models.md is one', () => {
  const page = readFileSync(new URL('../../docs/models.md', import.meta.url), 'utf8')
  const example = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  expect(readArtifactManifest(Buffer.from(example))).toMatchObject(JSON.parse(example))
})
