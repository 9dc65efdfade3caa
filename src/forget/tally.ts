// What a run has found, written and removed, by place; and what it had to leave, which keeps the forgetting from being complete.

/** Where something of a user lies. */
export const PLACES = [
  'item',
  'spill',
  'raw',
  'deadletters',
  'doubt',
  'closed',
  'cleared',
  'corrupt',
  'given-up',
  'rescore',
  'tables',
] as const

export type Place = (typeof PLACES)[number]

export interface PlaceCounts {
  /** Objects or batches that were looked at; of items 1 where there was one. */
  looked: number
  /** Those with something of the user. */
  found: number
  /** Lines and rows of the user. */
  rows: number
  /** Written anew without the user, and moved as they were beside it. */
  bytesRewritten: number
  bytesCopied: number
  bytesRemoved: number
}

export interface Left {
  readonly where: string
  readonly why: string
}

export interface ReplacedBatch {
  readonly table: string
  readonly partition: string
  readonly batchId: string
  /** What its readers get from now on; null: nothing needed it any more. */
  readonly successor: string | null
  /** Anchors that were moved to the successor. */
  readonly anchors: readonly string[]
  readonly rows: number
}

export interface Tally {
  readonly places: Readonly<Record<Place, PlaceCounts>>
  readonly left: Left[]
  readonly replaced: ReplacedBatch[]
  /** Records of others that mention the user, and stay. */
  mentions: number
  /** Records of the user that arrived after the instant, and stay. */
  newLife: number
  /** Of those, what an item of the new life may contain. */
  readonly newLifeIds: Set<string>
}

export function newTally(): Tally {
  const counts = (): PlaceCounts => ({
    looked: 0,
    found: 0,
    rows: 0,
    bytesRewritten: 0,
    bytesCopied: 0,
    bytesRemoved: 0,
  })
  const places = Object.fromEntries(PLACES.map(place => [place, counts()])) as Record<Place, PlaceCounts>
  return { places, left: [], replaced: [], mentions: 0, newLife: 0, newLifeIds: new Set() }
}

export function addTo(counts: PlaceCounts, more: Partial<PlaceCounts>): void {
  for (const [name, value] of Object.entries(more)) counts[name as keyof PlaceCounts] += value
}

export function foundIn({ places }: Tally): number {
  return PLACES.reduce((sum, place) => sum + places[place].found, 0)
}

export function bytesIn({ places }: Tally, of: 'bytesRewritten' | 'bytesCopied' | 'bytesRemoved'): number {
  return PLACES.reduce((sum, place) => sum + places[place][of], 0)
}

/** What stands in the end: all that any pass found, and what the last one had to leave. */
export function mergeTallies(passes: readonly Tally[]): Tally {
  const merged = newTally()
  for (const tally of passes) {
    for (const place of PLACES) {
      const { looked, ...rest } = tally.places[place]
      addTo(merged.places[place], rest)
      merged.places[place].looked = Math.max(merged.places[place].looked, looked)
    }
    merged.replaced.push(...tally.replaced)
  }
  const last = passes.at(-1)
  merged.left.push(...(last?.left ?? []))
  merged.mentions = last?.mentions ?? 0
  merged.newLife = last?.newLife ?? 0
  for (const id of last?.newLifeIds ?? []) merged.newLifeIds.add(id)
  return merged
}
