// What became of each user that a run looked at: every one of them is in exactly one of the counts, save `noAnswer`.

export interface RescoreCounts {
  /** That were looked at: the sum of those below. */
  users: number
  /** Written with predictions of the batch; in a dry run: would be. */
  rescored: number
  /** Had predictions of the batch. */
  already: number
  /** An event was written first, and by then with predictions of the batch, or the item was gone. */
  conflicts: number
  /** Others wrote first every time, with another batch: evaluated when read, and found by the next run. */
  left: number
  /** Items that cannot be read, and are left as they are. */
  corrupt: number
  /** Items that would be over the size limit, and are left as they are. */
  refused: number
  /** Of those rescored: users to whom the model says nothing, as an input is missing or it refuses them. */
  noAnswer: number
}

export function noCounts(): RescoreCounts {
  return { users: 0, rescored: 0, already: 0, conflicts: 0, left: 0, corrupt: 0, refused: 0, noAnswer: 0 }
}

export function addCounts(to: RescoreCounts, more: RescoreCounts): void {
  for (const name of Object.keys(to) as (keyof RescoreCounts)[]) to[name] += more[name]
}
