// Hashes that are written down somewhere, so that everybody computes them alike.
import { createHash, hash } from 'node:crypto'

/** Lower-case hex SHA-256 of UTF-8 text or bytes. */
export function sha256Hex(input: string | Uint8Array): string {
  return typeof input === 'string' ? hash('sha256', input, 'hex') : createHash('sha256').update(input).digest('hex')
}

/** First 64 bits of SHA-256(type + NUL + id) as 16 hex digits: an event's identity inside a user's item. */
export function eventIdHash(type: string, id: string): string {
  return hash('sha256', `${type}\u0000${id}`, 'hex').slice(0, 16)
}

/** How many buckets archive and snapshot parts are divided into by user. */
export const USER_BUCKETS = 64

/** First byte of SHA-256(user id) mod 64. */
export function userBucket(userId: string): number {
  return Number.parseInt(hash('sha256', userId, 'hex').slice(0, 2), 16) % USER_BUCKETS
}
