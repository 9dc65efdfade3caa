// How many bytes a model takes by how it is written down: what is stored, sent, or kept in a column of somebody's database.
import { deflateSync, inflateSync } from 'node:zlib'
import type { Artifact } from './read-artifact.ts'

export interface EncodedSizes {
  /** What is encoded: `model.onnx`, `final values`. */
  readonly what: string
  /** Bytes; null where that cannot be told. */
  readonly raw: number | null
  readonly zlib: number | null
  readonly json: number | null
  readonly zlibJson: number | null
}

/** A number of 64 bits each. */
const NUMBER_BYTES = 8
/** Coefficients are some thousand at most; more are named by their hash. */
const VALUES_JSON_BYTES_MAX = 16_777_216

/** The model's file as JSON carries bytes: a text of base64. Final values as numbers of 64 bits, and as JSON by name. */
export function modelSizes({ manifest, model }: Pick<Artifact, 'manifest' | 'model'>): readonly EncodedSizes[] {
  const text = Buffer.from(JSON.stringify(Buffer.from(model).toString('base64')))
  const sizes: EncodedSizes[] = [
    {
      what: 'model.onnx',
      raw: model.byteLength,
      zlib: deflateSync(model).byteLength,
      json: text.byteLength,
      zlibJson: deflateSync(text).byteLength,
    },
  ]
  const values = manifest.finalValues
  if (values === undefined) return sizes
  if ('count' in values) {
    sizes.push({ what: 'final values', raw: values.count * NUMBER_BYTES, zlib: null, json: null, zlibJson: null })
    return sizes
  }
  const encoded = Buffer.from(values.zlibJson, 'base64')
  const json = inflated(encoded)
  const numbers = json === undefined ? undefined : numbersOf(json)
  sizes.push({
    what: 'final values',
    raw: numbers?.byteLength ?? null,
    zlib: numbers === undefined ? null : deflateSync(numbers).byteLength,
    json: json?.byteLength ?? null,
    zlibJson: encoded.byteLength,
  })
  return sizes
}

/** Undefined where it is not what the manifest says that it is: only its sizes are asked here. */
function inflated(encoded: Uint8Array): Buffer | undefined {
  try {
    return inflateSync(encoded, { maxOutputLength: VALUES_JSON_BYTES_MAX })
  } catch {
    return undefined
  }
}

function numbersOf(json: Buffer): Uint8Array | undefined {
  try {
    const values: unknown = JSON.parse(json.toString('utf8'))
    if (typeof values !== 'object' || values === null) return undefined
    return new Uint8Array(Float64Array.from(Object.values(values), Number).buffer)
  } catch {
    return undefined
  }
}
