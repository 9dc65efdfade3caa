// The name of a batch: when it was begun, to the second, and 40 random bits, so that names sort by time, say it to people,
// and two writers of one second do not meet: with 1,000 of them the chance is 1 in 2 million.
import type { Random } from '../platform/random.ts'
import { CatalogError } from './errors.ts'

/** Crockford's base32 in lower case: no i, l, o and u, which people misread. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const SUFFIX_CHARACTERS = 8
const TIME_DIGITS = 14
const PATTERN = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})-[0-9a-hjkmnp-tv-z]{8}$/

/** `20010630175959-7h3k9c2m` */
export function newBatchId(nowMs: number, random: Random): string {
  const digits = new Date(nowMs).toISOString().replace(/\D/g, '').slice(0, TIME_DIGITS)
  let suffix = ''
  for (let index = 0; index < SUFFIX_CHARACTERS; index++) suffix += ALPHABET[Math.floor(random() * ALPHABET.length)]
  return `${digits}-${suffix}`
}

/** When the batch was begun, whole seconds in ms, or undefined where the text is no batch ID. */
export function batchIdTimeMs(text: string): number | undefined {
  const match = PATTERN.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second] = match
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const ms = Date.parse(written)
  // 30 February parses as 2 March: such a text was never made here.
  return Number.isNaN(ms) || new Date(ms).toISOString() !== written ? undefined : ms
}

/**
 * The second of a batch as a number that reads like its ID, `20010630175959`, for what can hold no text; undefined where the text is no
 * batch ID. A double holds it exactly. Batches of one second have the same.
 */
export function batchIdNumber(text: string): number | undefined {
  return isBatchId(text) ? Number(text.slice(0, TIME_DIGITS)) : undefined
}

export function isBatchId(text: string): boolean {
  return batchIdTimeMs(text) !== undefined
}

/** Throws CatalogError. */
export function checkBatchId(text: string): string {
  if (isBatchId(text)) return text
  throw new CatalogError(`"${text}" is not a batch ID`, {
    code: 'batch-id-invalid',
    next: 'A batch ID looks like 20010630175959-7h3k9c2m; `millrace table history` lists them.',
  })
}
