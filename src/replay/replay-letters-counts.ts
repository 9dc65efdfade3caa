// What became of the letters of a replay, or what would become of them, by the reason for which each was set aside.

/** Where a letter of a replay ends. */
export type LetterEnd =
  /** Folded into its user's item, and closed. */
  | 'folded'
  /** Its event is in the item, from this record or another one: the user is rebuilt with it, which tells, and it is closed. */
  | 'duplicate'
  /** Only a rebuild from the archive can count it. */
  | 'rebuild'
  /** Refused again: it stays open. */
  | 'refused'
  /** Could not be judged now: no object of the archive has the record, or its user could not be written. It stays open. */
  | 'left'

export const LETTER_ENDS: readonly LetterEnd[] = ['folded', 'duplicate', 'rebuild', 'refused', 'left']

export type ReasonCounts = Record<LetterEnd, number> & {
  /** How many there were. */
  letters: number
  /** Of those that were to be rebuilt, or were duplicates: counted and closed. */
  rebuilt: number
  /** What the first one that was refused again was refused for now. */
  firstRefusal: { readonly reason: string; readonly detail: string } | null
}

export class ReplayTally {
  readonly #byReason = new Map<string, ReasonCounts>()

  end(reason: string, end: LetterEnd, refusal?: { readonly reason: string; readonly detail: string }): void {
    const counts = this.#of(reason)
    counts.letters++
    counts[end]++
    if (refusal !== undefined) counts.firstRefusal ??= { reason: refusal.reason, detail: refusal.detail }
  }

  rebuilt(reason: string): void {
    this.#of(reason).rebuilt++
  }

  /** By reason, the most frequent first. */
  counts(): Readonly<Record<string, Readonly<ReasonCounts>>> {
    return Object.fromEntries([...this.#byReason].sort(([, a], [, b]) => b.letters - a.letters))
  }

  #of(reason: string): ReasonCounts {
    let counts = this.#byReason.get(reason)
    if (counts === undefined) {
      const ends = { folded: 0, duplicate: 0, rebuild: 0, refused: 0, left: 0 }
      counts = { letters: 0, ...ends, rebuilt: 0, firstRefusal: null }
      this.#byReason.set(reason, counts)
    }
    return counts
  }
}

/** Letters that are still open. */
export function lettersLeft(counts: Readonly<Record<string, Readonly<ReasonCounts>>>): number {
  return Object.values(counts).reduce(
    (sum, { letters, folded, rebuilt }) => sum + Math.max(0, letters - folded - rebuilt),
    0,
  )
}
