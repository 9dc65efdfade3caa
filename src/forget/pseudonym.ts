// An id for a user that whoever has the key can make of the real one, and nobody else. Producers of events and readers of tables make it;
// Millrace has neither the key nor the real id. It is the same in Python.
import { createHmac } from 'node:crypto'
import { MillraceError } from '../platform/errors.ts'

/** 256 bits, as HMAC-SHA-256 has. */
const KEY_PATTERN = /^[0-9a-f]{64}$/
/** Whatever else the key is used for, no HMAC of that is one of these. */
const DOMAIN = 'millrace/pseudonym/1\u0000'

/**
 * 64 hex digits. `key`: 64 hex digits that nobody can guess; `userId`: text, taken as it is: ` 7` is not `7`. Throws MillraceError
 * `pseudonym-key-invalid`, `user-id-invalid`.
 */
export function pseudonym(key: string, userId: string): string {
  if (!KEY_PATTERN.test(key)) {
    throw new MillraceError('The key of pseudonyms is not 64 hex digits', {
      code: 'pseudonym-key-invalid',
      next: 'Make one with `openssl rand -hex 32` and keep it where keys are kept.',
    })
  }
  if (typeof userId !== 'string' || userId === '' || !userId.isWellFormed()) {
    throw new MillraceError("A user's id is text of Unicode, and not empty", {
      code: 'user-id-invalid',
      next: 'Write a number in its decimal digits first.',
    })
  }
  return createHmac('sha256', Buffer.from(key, 'hex')).update(`${DOMAIN}${userId}`).digest('hex')
}
