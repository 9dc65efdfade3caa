// The JSON Schema of a model's manifest, for who writes one in another language: made from what reads it. Run as a program it writes
// docs/schemas/model-manifest.schema.json; a test holds the two equal.
import { writeFileSync } from 'node:fs'
import * as z from 'zod/mini'
import { MANIFEST_FORMAT_VERSION, manifestSchema } from '../src/model/artifact-manifest.ts'

export const SCHEMA_FILE = new URL('../docs/schemas/model-manifest.schema.json', import.meta.url)

/** As it may be written: what has a default need not be there. */
export function modelManifestSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(manifestSchema, { io: 'input' })
  return {
    $schema,
    $id: `urn:millrace:model-manifest:${MANIFEST_FORMAT_VERSION}`,
    title: 'The manifest of a model artifact of Millrace',
    ...schema,
  }
}

if (import.meta.main) writeFileSync(SCHEMA_FILE, `${JSON.stringify(modelManifestSchema(), undefined, 2)}\n`)
