import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readArtifact, SIGNATURE_FILE } from '../../src/model/read-artifact.ts'
import {
  newSigningKeys,
  readTrustedKeys,
  signingPublicKey,
  signManifest,
  verifySignature,
} from '../../src/model/signature.ts'
import { papers } from './papers.ts'
import { type RawEntry, rawZip } from './zip-writer.ts'

const ours = newSigningKeys()
const theirs = newSigningKeys()
const trusted = [theirs.publicKey, ours.publicKey]
const manifest = new TextEncoder().encode('{"name":"churn"}')
const file = signManifest(manifest, ours.privatePem)
const codeIs = (code: string) => expect.objectContaining({ name: 'ModelError', code })
const changed = (changes: Readonly<Record<string, unknown>>) =>
  Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(file).toString()), ...changes }))

describe('a signature', () => {
  test('is one of the manifest by the key that is named', () => {
    expect(verifySignature(manifest, file, trusted)).toBe(ours.publicKey)
    expect(signingPublicKey(ours.privatePem)).toBe(ours.publicKey)
  })

  test('that is missing, of nobody here, or of another manifest, has a code of its own', () => {
    expect(() => verifySignature(manifest, undefined, trusted)).toThrow(codeIs('signature-missing'))
    expect(() => verifySignature(manifest, file, [theirs.publicKey])).toThrow(codeIs('signature-untrusted'))
    expect(() => verifySignature(Buffer.from('{}'), file, trusted)).toThrow(codeIs('signature-wrong'))
  })

  test('is worth nothing under the name of somebody else, whatever it says of the manifest', () => {
    expect(() => verifySignature(manifest, changed({ key: theirs.publicKey }), trusted)).toThrow(
      codeIs('signature-wrong'),
    )
    const other = signManifest(Buffer.from('{}'), ours.privatePem)
    expect(() => verifySignature(manifest, other, trusted)).toThrow(codeIs('signature-wrong'))
  })

  test.each([
    ['no JSON', Buffer.from('{')],
    ['another algorithm', changed({ algorithm: 'none' })],
    ['another format', changed({ formatVersion: 2 })],
    ['no signature', changed({ signature: '' })],
  ])('that is %s is refused', (_, bytes) => {
    expect(() => verifySignature(manifest, bytes, trusted)).toThrow(codeIs('signature-wrong'))
  })

  test('does not survive a change of any bit of manifest or signature', () => {
    const { signature } = JSON.parse(Buffer.from(file).toString()) as { signature: string }
    const bytes = Buffer.from(signature, 'base64url')
    const flip = (of: Uint8Array, bit: number) => {
      const flipped = Buffer.from(of)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      return flipped
    }
    fc.assert(
      fc.property(fc.nat({ max: manifest.length * 8 - 1 }), fc.nat({ max: bytes.length * 8 - 1 }), (bit, other) => {
        expect(() => verifySignature(flip(manifest, bit), file, trusted)).toThrow(codeIs('signature-wrong'))
        const wrong = changed({ signature: flip(bytes, other).toString('base64url') })
        expect(() => verifySignature(manifest, wrong, trusted)).toThrow(codeIs('signature-wrong'))
      }),
    )
  })
})

describe('keys', () => {
  test('are read with commas, spaces or lines between, and none is none', () => {
    expect(readTrustedKeys(` ${trusted[0]},${trusted[1]}\n`)).toEqual(trusted)
    expect(readTrustedKeys('')).toEqual([])
  })

  test.each(['secret', `${ours.publicKey}A`, ours.privatePem])('of a variable that are none are refused: %#', text => {
    expect(() => readTrustedKeys(text)).toThrow(codeIs('signing-key-invalid'))
  })

  test('of other kinds sign nothing', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    expect(() => signManifest(manifest, pem)).toThrow(codeIs('signing-key-invalid'))
    expect(() => signManifest(manifest, 'no PEM')).toThrow(codeIs('signing-key-invalid'))
  })
})

describe('an artifact, where keys are listed,', () => {
  const options = { trustedKeys: [ours.publicKey] }
  const entries = papers()
  const signedBy = (pem: string): RawEntry[] => {
    const content = signManifest(Buffer.from(String(entries[0]?.content)), pem)
    return [...entries, { name: SIGNATURE_FILE, content }]
  }

  test('is taken with a signature by one of them, and not without', () => {
    const signed = rawZip({ entries: signedBy(ours.privatePem) })
    expect(readArtifact(signed, options)).toEqual(readArtifact(rawZip({ entries })))
    expect(() => readArtifact(rawZip({ entries }), options)).toThrow(codeIs('signature-missing'))
    expect(() => readArtifact(rawZip({ entries: signedBy(theirs.privatePem) }), options)).toThrow(
      codeIs('signature-untrusted'),
    )
  })

  test('is not taken with another model beside the signed manifest', () => {
    const swapped = signedBy(ours.privatePem).map(entry =>
      entry.name === 'model.onnx' ? { ...entry, content: 'another model' } : entry,
    )
    expect(() => readArtifact(rawZip({ entries: swapped }), options)).toThrow(codeIs('artifact-hash'))
  })
})
