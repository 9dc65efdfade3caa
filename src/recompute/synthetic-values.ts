// Values that no user sent, for estimates: plausible ones, and the longest that a contract lets through. Where a contract has no
// bound (a number), the bound is here, by name.
import type { EventContract } from '../event/contract.ts'
import type { DecodedEvent, FieldValue } from '../event/decoded-event.ts'
import type { Field } from '../event/field.ts'
import { TEXT_BYTES_MAX } from '../event/limits.ts'
import type { Random } from '../platform/random.ts'

/** 9,999,999.99 at two decimal places: more digits than money, minutes or metres have. Sums of them are longer. */
const LONGEST_DIGITS = 9
/** Of text fields that people filter and group by: channels, shops, towns. */
const WORDS = 24
const WORD_LETTERS = 9
/** Share of events that have no value of a field that need not have one. */
const ABSENT_SHARE = 0.2
const TRUE_SHARE = 0.2
/** Numbers are spread like money and durations: half of them below 30, one in a thousand above 660. */
const MEDIAN = 30
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** A field's value as a fold sees it. */
export function plausibleValue(field: Field, random: Random): FieldValue {
  if ((field.optional || field.nullable) && random() < ABSENT_SHARE) return null
  switch (field.kind) {
    case 'number':
      return plausibleNumber(field.scale, random)
    case 'text':
      return word(frequentFirst(WORDS, random))
    case 'choice':
      return field.values[frequentFirst(field.values.length, random)] ?? null
    case 'flag':
      return random() < TRUE_SHARE
  }
}

/** Never absent. `textBytes`: of text, where it is not kept whole. */
export function longestValue(field: Field, random: Random, textBytes: number = TEXT_BYTES_MAX): FieldValue {
  switch (field.kind) {
    case 'number': {
      const sign = random() < 0.5 ? -1 : 1
      const least = 10 ** (LONGEST_DIGITS - 1)
      const magnitude = least + random() * 9 * least
      return sign * (field.scale === undefined ? magnitude / 1000 : Math.floor(magnitude))
    }
    case 'text':
      return letters(textBytes, random)
    case 'choice':
      return field.values[Math.floor(random() * field.values.length)] ?? null
    case 'flag':
      return random() < 0.5
  }
}

/** Fields that are not given are absent. */
export function syntheticEvent(
  { type }: Pick<EventContract, 'type'>,
  ts: number,
  { fields, random }: { readonly fields: ReadonlyMap<string, FieldValue>; readonly random: Random },
): DecodedEvent {
  const hash = idHash(random)
  return { type, id: hash, idHash: hash, userId: 'synthetic', ts: Math.floor(ts), fields, unknownFields: 0 }
}

export function letters(length: number, random: Random): string {
  return Array.from({ length }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join('')
}

/** As event ids are hashed: 16 hex digits. */
export function idHash(random: Random): string {
  const half = (): string =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  return half() + half()
}

function plausibleNumber(scale: number | undefined, random: Random): number {
  // Normal by Box and Muller, so that its exponential is spread as said.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const value = MEDIAN * Math.exp(normal)
  return scale === undefined ? Math.round(value * 100) / 100 : Math.round(value * 10 ** scale)
}

/** By Zipf: the second half as often as the first. */
function frequentFirst(length: number, random: Random): number {
  return Math.min(length - 1, Math.floor(length ** random()) - 1 + Math.floor(random() * 2))
}

function word(index: number): string {
  return `word-${String(index).padStart(WORD_LETTERS - 5, '0')}`
}
