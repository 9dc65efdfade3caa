// Golden items on disk. `NAME.stored.golden.json` is an item as a release stored it, bytes in base64; `NAME.plain.golden.json`
// what it means. Every release's stored bytes are read for ever, so a stored file is added once and never changed.
import type { DedupState, RecentId } from '../../src/affected/dedup-state.ts'
import { encodeItem } from '../../src/store/item-codec.ts'
import type { StoredItem } from '../../src/store/user-item.ts'

const BYTES = ['dedup', 'st', 'ft', 'pr', 'sum'] as const

/** [ts, id hash] */
type GoldenId = readonly [number, string]

export interface GoldenPlain {
  readonly userId: string
  readonly v: number
  readonly at: number
  readonly asOf: number
  readonly fresh?: number
  readonly definitions: string
  readonly models: Record<string, string>
  readonly imports: string[]
  readonly dedup: {
    readonly types: Record<string, { readonly floor?: GoldenId; readonly ids: GoldenId[] }>
    readonly marks: Record<string, { readonly sequence: string; readonly arrivalMs: number }>
    readonly settledMs?: number
  }
  readonly state: Record<string, unknown>
  readonly features: Record<string, unknown>
  readonly predictions: Record<string, unknown>
  readonly other: Record<string, unknown>
}

export type GoldenStored = Omit<StoredItem, (typeof BYTES)[number]> & Record<(typeof BYTES)[number], string>

export function encodePlain(plain: GoldenPlain): StoredItem {
  return encodeItem({
    ...plain,
    dedup: dedupOf(plain.dedup),
    state: JSON.stringify(plain.state),
    features: JSON.stringify(plain.features),
    predictions: JSON.stringify(plain.predictions),
  })
}

export function dedupOf({ types, marks, settledMs }: GoldenPlain['dedup']): DedupState {
  const idOf = ([ts, idHash]: GoldenId): RecentId => ({ ts, idHash })
  return {
    types: new Map(
      Object.entries(types).map(([name, { floor, ids }]) => [
        name,
        { ids: ids.map(idOf), floor: floor === undefined ? undefined : idOf(floor) },
      ]),
    ),
    marks: new Map(Object.entries(marks)),
    settledMs,
  }
}

export function toGolden(item: StoredItem): GoldenStored {
  const texts = BYTES.map(name => [name, Buffer.from(item[name]).toString('base64')])
  return { ...item, ...(Object.fromEntries(texts) as Record<(typeof BYTES)[number], string>) }
}

export function fromGolden(golden: GoldenStored): StoredItem {
  const bytes = BYTES.map(name => [name, Uint8Array.from(Buffer.from(golden[name], 'base64'))])
  return { ...golden, ...(Object.fromEntries(bytes) as Record<(typeof BYTES)[number], Uint8Array>) }
}
