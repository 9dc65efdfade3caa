// What verify found, added up: counts of everybody, and the worst few of each kind by name, so that a table of wrong users does
// not become a report of the same size.
import type { Compared, Difference, Verdict } from './verify-user.ts'

export interface VerifyCounts {
  /** Users that were looked at, with or without an item. */
  users: number
  matched: number
  missing: number
  extra: number
  different: number
  corrupt: number
  behind: number
  unarchived: number
  /** Of all users that could be compared. */
  events: number
  values: number
  /** Features that are null until they are backfilled, over all users. */
  backfilling: number
}

export interface DifferentUser {
  readonly userId: string
  /** How many values are wrong. */
  readonly values: number
  readonly worst: Difference
}

export interface VerifyFindings {
  readonly counts: Readonly<VerifyCounts>
  readonly missing: readonly { readonly userId: string; readonly events: number }[]
  readonly extra: readonly { readonly userId: string }[]
  readonly different: readonly DifferentUser[]
  readonly corrupt: readonly { readonly userId: string; readonly detail: string }[]
  readonly behind: readonly { readonly userId: string; readonly shard: string }[]
  readonly unarchived: readonly { readonly userId: string; readonly shard: string }[]
}

/** Users named of each kind: enough to begin with, and one is explained at a time. */
export const USERS_NAMED_MAX = 20

export class VerifyTally {
  readonly #counts: VerifyCounts = {
    users: 0,
    matched: 0,
    missing: 0,
    extra: 0,
    different: 0,
    corrupt: 0,
    behind: 0,
    unarchived: 0,
    events: 0,
    values: 0,
    backfilling: 0,
  }
  readonly #missing: VerifyFindings['missing'][number][] = []
  readonly #extra: VerifyFindings['extra'][number][] = []
  #different: DifferentUser[] = []
  readonly #corrupt: VerifyFindings['corrupt'][number][] = []
  readonly #behind: VerifyFindings['behind'][number][] = []
  readonly #unarchived: VerifyFindings['unarchived'][number][] = []

  add(userId: string, verdict: Verdict): void {
    if (verdict.kind === 'none') return
    this.#counts.users++
    this.#counts[verdict.kind]++
    switch (verdict.kind) {
      case 'matched':
      case 'different':
        this.#addCompared(userId, verdict)
        break
      case 'missing':
        name(this.#missing, { userId, events: verdict.events })
        break
      case 'extra':
        name(this.#extra, { userId })
        break
      case 'corrupt':
        name(this.#corrupt, { userId, detail: verdict.detail })
        break
      case 'behind':
        name(this.#behind, { userId, shard: verdict.shard })
        break
      case 'unarchived':
        name(this.#unarchived, { userId, shard: verdict.shard })
    }
  }

  findings(): VerifyFindings {
    return {
      counts: { ...this.#counts },
      missing: this.#missing,
      extra: this.#extra,
      different: worstFirst(this.#different),
      corrupt: this.#corrupt,
      behind: this.#behind,
      unarchived: this.#unarchived,
    }
  }

  #addCompared(userId: string, verdict: Compared): void {
    this.#counts.events += verdict.events
    this.#counts.values += verdict.values
    this.#counts.backfilling += verdict.backfilling
    const [worst] = verdict.differences
    if (worst === undefined) return
    this.#different.push({ userId, values: verdict.differences.length, worst })
    if (this.#different.length >= 2 * USERS_NAMED_MAX) this.#different = worstFirst(this.#different)
  }
}

function name<Named>(list: Named[], named: Named): void {
  if (list.length < USERS_NAMED_MAX) list.push(named)
}

function worstFirst(users: readonly DifferentUser[]): DifferentUser[] {
  const byDistance = (a: DifferentUser, b: DifferentUser): number =>
    a.worst.distance === b.worst.distance ? b.values - a.values : a.worst.distance < b.worst.distance ? 1 : -1
  return users.toSorted(byDistance).slice(0, USERS_NAMED_MAX)
}
