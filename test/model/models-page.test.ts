import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { modelManifestSchema, SCHEMA_FILE } from '../../scripts/model-manifest-schema.ts'
import { readArtifactManifest } from '../../src/model/artifact-manifest.ts'

const page = readFileSync(new URL('../../docs/models.md', import.meta.url), 'utf8')
const example = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? ''

test('the manifest in docs/models.md is one', () => {
  expect(readArtifactManifest(Buffer.from(example))).toMatchObject(JSON.parse(example))
})

test('the published JSON Schema is that of the code; node scripts/model-manifest-schema.ts writes it', () => {
  expect(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8'))).toEqual(modelManifestSchema())
})

test('the example shows every field that the schema has, and requires no other', () => {
  const { properties, required } = modelManifestSchema() as {
    readonly properties: Readonly<Record<string, unknown>>
    readonly required: readonly string[]
  }
  expect(Object.keys(JSON.parse(example)).toSorted()).toEqual(Object.keys(properties).toSorted())
  // What has a default may be left out.
  expect(required).not.toContain('hyperparameters')
  expect(required).toContain('sha256')
})
