// Stored predictions that are not served as they are stored: values that lie elsewhere are put where they belong, and those of
// shadow models are left out.
import type { PredictionsBody, SpilledValue } from '../predictions/evaluated-user.ts'
import { type PredictionValue, spilledOf, withValues } from '../predictions/spill.ts'
import { CorruptItemError } from '../store/errors.ts'
import { isUnreadable, readBody, readPlain, type Unreadable } from '../store/item-codec.ts'
import type { StoredItem } from '../store/user-item.ts'
import type { Coding } from './content-coding.ts'
import { encodeBody } from './encode-body.ts'
import { served } from './served.ts'
import { plainView, type View } from './view.ts'

/** Whether the stored bytes are the answer's. */
export function isAsStored(item: StoredItem, view: View, shadows: ReadonlySet<string>): boolean {
  return view === 'features' || (item.spills === undefined && shadows.size === 0)
}

export interface RebuildOptions {
  readonly view: View
  readonly coding: Coding
  readonly shadows: ReadonlySet<string>
  readonly readSpill: (spilled: SpilledValue) => Promise<PredictionValue | undefined>
}

/** One read for each value; undefined where one of them is not to be had. Throws CorruptItemError. */
export async function rebuiltBody(
  item: StoredItem,
  { view, coding, shadows, readSpill }: RebuildOptions,
): Promise<Uint8Array | undefined> {
  const stored = orThrow(readBody(item, 'pr')).body as unknown as PredictionsBody
  const shown: PredictionsBody = { ...stored, models: served(stored.models, shadows) }
  const values = new Map<string, PredictionValue>()
  const reads = await Promise.all(
    spilledOf(shown).map(async spilled => ({ key: spilled.key, value: await readSpill(spilled) })),
  )
  for (const { key, value } of reads) {
    if (value === undefined) return undefined
    values.set(key, value)
  }
  const predictions = withValues(shown, ({ key }) => values.get(key) ?? {})
  const plain = plainView(view, {
    features: () => orThrow(readPlain(item, 'ft')).plain,
    predictions: () => Buffer.from(JSON.stringify(predictions)),
  })
  return encodeBody(plain, coding)
}

function orThrow<T extends object>(result: T | Unreadable): T {
  if (isUnreadable(result)) throw new CorruptItemError(result.reason)
  return result
}
