// Protobuf's wire format (protobuf.dev, "Encoding"), read field by field and written back range by range: what an editor does not know
// it carries through byte for byte, so that a file of a newer release of ONNX loses nothing.
import { ModelError } from '../errors.ts'

export interface Field {
  readonly number: number
  /** Of a number. */
  readonly varint?: bigint
  /** Of text, bytes, a message, or a list packed into one. */
  readonly body?: Uint8Array
  /** The whole field as it stands, key included. */
  readonly raw: Uint8Array
}

const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 8, 5: 4 }
const VARINT_BITS_MAX = 70n

/** The fields of one message, in order. Throws ModelError `model-refused`. */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < VARINT_BITS_MAX; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) break
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
    throw notWhole()
  }
  while (at < bytes.byteLength) {
    const start = at
    const key = Number(varint())
    const number = key >>> 3
    const wire = key & 7
    if (wire === 0) {
      const value = varint()
      yield { number, varint: value, raw: bytes.subarray(start, at) }
      continue
    }
    const length = wire === 2 ? Number(varint()) : FIXED_BYTES[wire]
    if (length === undefined || length > bytes.byteLength - at) throw notWhole()
    const body = bytes.subarray(at, at + length)
    at += length
    const raw = bytes.subarray(start, at)
    yield wire === 2 ? { number, body, raw } : { number, raw }
  }
}

/** What stands for a field: bytes, nothing, or itself. */
export type Replacement = Uint8Array | 'drop' | 'keep'

/** A message with some fields replaced; all others are the bytes that they were. */
export function editFields(bytes: Uint8Array, replace: (field: Field) => Replacement): Uint8Array {
  const parts: Uint8Array[] = []
  for (const field of fieldsOf(bytes)) {
    const replacement = replace(field)
    if (replacement !== 'drop') parts.push(replacement === 'keep' ? field.raw : replacement)
  }
  return concat(parts)
}

/** Bodies of all fields of a number. */
export function bodiesOf(bytes: Uint8Array, number: number): Uint8Array[] {
  const bodies: Uint8Array[] = []
  for (const field of fieldsOf(bytes)) if (field.number === number && field.body !== undefined) bodies.push(field.body)
  return bodies
}

/** The last one counts where a field that is not repeated stands twice. */
export function bodyOf(bytes: Uint8Array, number: number): Uint8Array | undefined {
  return bodiesOf(bytes, number).at(-1)
}

export function textsOf(bytes: Uint8Array, number: number): string[] {
  return bodiesOf(bytes, number).map(decodeText)
}

/** Of numbers that are repeated, one by one or packed. */
export function varintsOf(bytes: Uint8Array, number: number): bigint[] {
  const values: bigint[] = []
  for (const field of fieldsOf(bytes)) {
    if (field.number !== number) continue
    if (field.varint !== undefined) values.push(BigInt.asIntN(64, field.varint))
    else if (field.body !== undefined) values.push(...packed(field.body))
  }
  return values
}

function packed(body: Uint8Array): bigint[] {
  const values: bigint[] = []
  let [value, shift] = [0n, 0n]
  for (const byte of body) {
    value |= BigInt(byte & 127) << shift
    shift += 7n
    if (byte >= 128) continue
    values.push(BigInt.asIntN(64, value))
    value = 0n
    shift = 0n
  }
  return values
}

export function decodeText(body: Uint8Array): string {
  return new TextDecoder().decode(body)
}

export function messageField(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0)
  return concat([varintBytes(BigInt(number * 8 + 2)), varintBytes(BigInt(length)), ...parts])
}

export function textField(number: number, text: string): Uint8Array {
  return messageField(number, new TextEncoder().encode(text))
}

/** Negative ones as 64 bits, as protobuf has it. */
export function varintField(number: number, value: bigint | number): Uint8Array {
  return concat([varintBytes(BigInt(number * 8)), varintBytes(BigInt.asUintN(64, BigInt(value)))])
}

function varintBytes(value: bigint): Uint8Array {
  const bytes: number[] = []
  for (let left = value; ; left >>= 7n) {
    const isLast = left < 128n
    bytes.push(Number(left & 127n) | (isLast ? 0 : 128))
    if (isLast) return Uint8Array.from(bytes)
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}

function notWhole(): ModelError {
  return new ModelError('The model is refused: it is not whole', {
    code: 'model-refused',
    next: 'Export it as one self-contained ONNX file with standard operators.',
  })
}
