// Plain JSON in the coding that was chosen, for what was made in this request and is sent once.
import { deflateSync, gzipSync } from 'node:zlib'
import type { Coding } from './content-coding.ts'

/** Stored bytes are worth level 6; these live for one answer, and level 1 takes half the time for a tenth more bytes. */
const ONCE = { level: 1 }

export function encodeBody(plain: Uint8Array, coding: Coding): Uint8Array {
  if (coding === 'identity') return plain
  return coding === 'deflate' ? deflateSync(plain, ONCE) : gzipSync(plain, ONCE)
}
