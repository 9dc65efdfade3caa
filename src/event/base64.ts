// Base64 read strictly, without encoding it again to compare: Buffer skips what it does not know, so the length of what came out
// tells of everything but the URL alphabet, characters beyond ASCII (cut to a byte) and spare bits.

/** The last character before the padding carries 4 or 2 spare bits, which must be zero: one text for the same bytes. */
const LAST_BEFORE_TWO = 'AQgw'
const LAST_BEFORE_ONE = 'AEIMQUYcgkosw048'

/** The bytes, or undefined where the text is not padded base64 in RFC 4648's first alphabet. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const isStrict =
    text.length % 4 === 0 &&
    bytes.length === (text.length / 4) * 3 - padding &&
    !text.includes('-') &&
    !text.includes('_') &&
    Buffer.byteLength(text) === text.length &&
    (padding === 0 ||
      (padding === 1 ? LAST_BEFORE_ONE : LAST_BEFORE_TWO).includes(text.charAt(text.length - 1 - padding)))
  return isStrict ? bytes : undefined
}
