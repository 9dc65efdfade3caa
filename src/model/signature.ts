// Who vouches for an artifact: an ed25519 signature over the hash of its manifest, in a file of the zip beside it. The manifest names the
// hash of every other file, so that one signature is for all of them. A deployment that lists keys takes nothing without one.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import * as z from 'zod/mini'
import { sha256Hex } from '../platform/hash.ts'
import { ModelError } from './errors.ts'

/** Public keys as `millrace model keys new` prints them: the 32 bytes of each, base64url. */
export type TrustedKeys = readonly string[]

export const SIGNATURE_FORMAT_VERSION = 1

/** What is signed begins with its purpose: a signature made for something else with the same key is none of a model. */
const PURPOSE = 'millrace model manifest v1\n'

const signatureSchema = z.object({
  formatVersion: z.literal(SIGNATURE_FORMAT_VERSION),
  algorithm: z.literal('ed25519'),
  key: z.string().check(z.regex(/^[A-Za-z0-9_-]{43}$/)),
  /** Of manifest.json, for people: what is verified is the hash of the bytes that are there. */
  manifestSha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  signature: z.string().check(z.regex(/^[A-Za-z0-9_-]{86}$/)),
})

export type ModelSignature = z.infer<typeof signatureSchema>

/** A new pair: the private one as PEM, the public one as `TrustedKeys` has it. */
export function newSigningKeys(): { readonly privatePem: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), publicKey: textOf(publicKey) }
}

/** The public half of a private key. Throws ModelError `signing-key-invalid`. */
export function signingPublicKey(privatePem: string): string {
  return textOf(createPublicKey(readPrivateKey(privatePem)))
}

/** The bytes of signature.json. Throws ModelError `signing-key-invalid`. */
export function signManifest(manifest: Uint8Array, privatePem: string): Uint8Array {
  const key = readPrivateKey(privatePem)
  const signature: ModelSignature = {
    formatVersion: SIGNATURE_FORMAT_VERSION,
    algorithm: 'ed25519',
    key: textOf(createPublicKey(key)),
    manifestSha256: sha256Hex(manifest),
    signature: sign(null, signedBytes(manifest), key).toString('base64url'),
  }
  return new TextEncoder().encode(`${JSON.stringify(signature, undefined, 2)}\n`)
}

/** The key that signed it. Throws ModelError `signature-missing`, `signature-untrusted`, `signature-wrong`. */
export function verifySignature(manifest: Uint8Array, file: Uint8Array | undefined, trusted: TrustedKeys): string {
  if (file === undefined) {
    throw new ModelError('The artifact is not signed, and only signed ones are taken here', {
      code: 'signature-missing',
      next: 'Sign it with `millrace model sign FILE.zip --key KEY.pem`.',
    })
  }
  const { key, signature } = readSignature(file)
  if (!trusted.includes(key)) {
    throw new ModelError(`The artifact is signed with ${key}, which is none of the keys that are trusted here`, {
      code: 'signature-untrusted',
      next: 'Let somebody sign it whose key is trusted, or add the key to MILLRACE_MODEL_KEYS.',
    })
  }
  if (!verify(null, signedBytes(manifest), publicKeyOf(key), Buffer.from(signature, 'base64url'))) {
    throw wrong('it is not one of this manifest')
  }
  return key
}

/** Keys of a variable: one or more, with commas or spaces between them. Throws ModelError `signing-key-invalid`. */
export function readTrustedKeys(text: string): TrustedKeys {
  const keys = text.split(/[\s,]+/).filter(key => key !== '')
  for (const key of keys) publicKeyOf(key)
  return keys
}

function signedBytes(manifest: Uint8Array): Buffer {
  return Buffer.from(`${PURPOSE}${sha256Hex(manifest)}`, 'ascii')
}

function readSignature(file: Uint8Array): ModelSignature {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file))
  } catch (cause) {
    throw wrong('it is not JSON', cause)
  }
  const result = signatureSchema.safeParse(parsed)
  if (result.success) return result.data
  throw wrong(result.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`).join('; '))
}

/** 32 bytes are 43 characters, the last of which has two bits to spare: only one way of writing a key is a key. */
function publicKeyOf(text: string): KeyObject {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: text }, format: 'jwk' })
    if (textOf(key) === text) return key
  } catch (cause) {
    throw keyInvalid(`"${text}" is no public key`, cause)
  }
  throw keyInvalid(`"${text}" is no public key`)
}

function readPrivateKey(pem: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (cause) {
    throw keyInvalid('The key is no private key in PEM', cause)
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  throw keyInvalid(`The key is one of ${key.asymmetricKeyType}, not of ed25519`)
}

function textOf(publicKey: KeyObject): string {
  return publicKey.export({ format: 'jwk' }).x ?? ''
}

function wrong(what: string, cause?: unknown): ModelError {
  return new ModelError(`The signature of the artifact is not right: ${what}`, {
    code: 'signature-wrong',
    next: 'Sign it again after the last change, and find out who changed it if nobody here did.',
    ...(cause === undefined ? {} : { cause }),
  })
}

function keyInvalid(what: string, cause?: unknown): ModelError {
  return new ModelError(what, {
    code: 'signing-key-invalid',
    next: '`millrace model keys new` makes a pair.',
    ...(cause === undefined ? {} : { cause }),
  })
}
