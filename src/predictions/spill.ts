// Values too long for a user's item. Which they are, what they are called as objects of their own, and what stands in the item
// instead. An object is named by its content, so that writing it again is nothing; a user is in its name as an HMAC only.
import { createHmac } from 'node:crypto'
import { sha256Hex, userBucket } from '../platform/hash.ts'
import type { Prediction, PredictionsBody, SpilledValue } from './evaluated-user.ts'
import type { PredictedUser } from './predictor.ts'

export type PredictionValue = NonNullable<Prediction['value']>

/**
 * Of a value's plain JSON. One S3 put costs 5 $ a million, as 8 write units do, and those are 8 KB of the item at every write: a
 * longer value is cheaper beside it, the more so as an unchanged one is not put again.
 */
export const INLINE_PREDICTION_BYTES_MAX = 8 * 1024
/** Where an item would be over its limit, values above this leave it, too: what stands instead has hardly fewer bytes. */
export const INLINE_WHERE_TIGHT_BYTES_MAX = 512
/** A GET has all models' values in one answer, and Lambda's have 6 MB (AWS Lambda quotas). */
export const PREDICTION_BYTES_MAX = 1024 * 1024

export const SPILL_PREFIX = 'spill/'
/** As whoever writes one says it to the object store. */
export const SPILL_CONTENT = { contentType: 'application/zlib' } as const

export interface PlannedSpill {
  readonly spilled: SpilledValue
  /** Plain JSON of the value. */
  readonly plain: Uint8Array
}

export interface SpillPlan {
  /** With `spilled` where a value was. */
  readonly predicted: PredictedUser
  readonly spills: readonly PlannedSpill[]
}

export interface SpillOptions {
  /** Of the deployment, secret: whoever has it can tell whose an object is. */
  readonly key: string
  readonly inlineBytesMax?: number
}

/** Whether a key is needed at all: most models answer with one number. */
export function isAnyLonger(
  { predictions: { models } }: Pick<PredictedUser, 'predictions'>,
  bytesMax: number = INLINE_PREDICTION_BYTES_MAX,
): boolean {
  return Object.values(models).some(({ value }) => value !== undefined && isLonger(value, bytesMax))
}

export function planSpills(
  userId: string,
  predicted: PredictedUser,
  { key, inlineBytesMax = INLINE_PREDICTION_BYTES_MAX }: SpillOptions,
): SpillPlan {
  const spills: PlannedSpill[] = []
  const prefix = spillPrefix(userId, key)
  const models = Object.entries(predicted.predictions.models).map(([name, prediction]) => {
    const { value, ...rest } = prediction
    if (value === undefined || !isLonger(value, inlineBytesMax)) return [name, prediction] as const
    const plain = Buffer.from(JSON.stringify(value))
    const sha256 = sha256Hex(plain)
    const spilled: SpilledValue = { key: prefix + sha256, sha256, bytes: plain.length }
    spills.push({ spilled, plain })
    return [name, { ...rest, spilled }] as const
  })
  if (spills.length === 0) return { predicted, spills }
  return {
    predicted: { ...predicted, predictions: { ...predicted.predictions, models: Object.fromEntries(models) } },
    spills,
  }
}

/** `spill/<bucket>/<HMAC of the user>/`: whose an object is, whoever has the key can tell, and nobody else. */
export function spillPrefix(userId: string, key: string): string {
  const bucket = String(userBucket(userId)).padStart(2, '0')
  return `${SPILL_PREFIX}${bucket}/${createHmac('sha256', key).update(userId).digest('hex')}/`
}

/** In the order of the body. */
export function spilledOf({ models }: Pick<PredictionsBody, 'models'>): readonly SpilledValue[] {
  return Object.values(models ?? {}).flatMap(({ spilled }) => (spilled === undefined ? [] : [spilled]))
}

/** With the values where `spilled` was. */
export function withValues(
  body: PredictionsBody,
  valueOf: (spilled: SpilledValue) => PredictionValue,
): PredictionsBody {
  const models = Object.entries(body.models).map(([name, prediction]) => {
    const { spilled, ...rest } = prediction
    return [name, spilled === undefined ? prediction : { ...rest, value: valueOf(spilled) }] as const
  })
  return { ...body, models: Object.fromEntries(models) }
}

/** What is wrong with a value that no answer can have; undefined where nothing is. */
export function valueProblem(value: PredictionValue): string | undefined {
  if (!isLonger(value, PREDICTION_BYTES_MAX)) return undefined
  return `the value has more than ${PREDICTION_BYTES_MAX} bytes of JSON`
}

function isLonger(value: PredictionValue, bytesMax: number): boolean {
  return valueBytesAtMost(value) > bytesMax && Buffer.byteLength(JSON.stringify(value)) > bytesMax
}

/** A double has 24 characters at most, as `-1.2345678901234567e-100`; a comma follows. */
const NUMBER_BYTES_MAX = 25
/** One that JSON writes as an escape, `\u0007`. */
const CHARACTER_BYTES_MAX = 6
/** Quotes, colon, comma and braces around a name or a text. */
const MARKS_BYTES_MAX = 6

/** Never less than the JSON has, so that nothing is written out for the short values that nearly all are. */
export function valueBytesAtMost(value: PredictionValue): number {
  let bytes = MARKS_BYTES_MAX
  for (const name in value) {
    const output = value[name]
    bytes += name.length * CHARACTER_BYTES_MAX + MARKS_BYTES_MAX
    if (typeof output === 'string') bytes += output.length * CHARACTER_BYTES_MAX + MARKS_BYTES_MAX
    else if (typeof output === 'object') bytes += valueBytesAtMost(output)
    else bytes += NUMBER_BYTES_MAX
  }
  return bytes
}
