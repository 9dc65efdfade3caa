// Entity tags. A tag names what decides stored bytes (version, instant, models, coding) instead of hashing them, so that an
// unchanged answer is recognized before anything is inflated.
import { hash } from 'node:crypto'
import type { Coding } from './content-coding.ts'

export interface EntityTagParts {
  /** Which of a user's bodies: features, predictions or both. */
  readonly view: string
  readonly v: number
  readonly asOf: number
  readonly models: Readonly<Record<string, string>>
  readonly coding: Coding
  /** `stored`, which `v` decides, or a hash of the body where it was made for this request. */
  readonly content: string
}

/** 96 bits: two states of one URL meet once in 2^48, a header stays short. */
const TAG_CHARACTERS = 16

/** A strong entity tag, quotes included. */
export function entityTag({ view, v, asOf, models, coding, content }: EntityTagParts): string {
  const batches = Object.entries(models).sort(([a], [b]) => (a < b ? -1 : 1))
  const state = JSON.stringify([view, v, asOf, batches, coding, content])
  return `"${hash('sha256', state, 'base64url').slice(0, TAG_CHARACTERS)}"`
}

/** RFC 9110, 8.8.3: what stands between the quotes has no space, no quote and no control character. */
const TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/y
const BETWEEN_TAGS = /[\s,]*/y

/** Whether If-None-Match (RFC 9110, 13.1.2: `*` or a list, compared weakly) names the tag. What is no list names nothing. */
export function matchesIfNoneMatch(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  let at = 0
  for (;;) {
    BETWEEN_TAGS.lastIndex = at
    at += BETWEEN_TAGS.exec(header)?.[0].length ?? 0
    TAG.lastIndex = at
    const found = TAG.exec(header)
    if (found === null) return false
    if (found[1] === tag) return true
    at += found[0].length
  }
}
