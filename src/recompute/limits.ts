// The limits of one batch, each with its reason.
/** Items of one wave are held in memory at once, compressed and inflated; a function of 1 GB holds this many ten times over. */
export const WORKING_SET_BYTES_MAX = 64 * 1024 * 1024
/** Users of one wave: each may be of the largest size. One model run and one round of writes a wave, unless predictions are large. */
export function usersPerWaveMax(itemBytesMax: number): number {
  return Math.floor(WORKING_SET_BYTES_MAX / itemBytesMax)
}
/** BatchGets at once; each answers up to 16 MB. */
export const READS_IN_FLIGHT_MAX = 4
/** Conditional puts at once: enough to hide a round trip of 5 ms, few enough for the sockets of one client (50). */
export const WRITES_IN_FLIGHT_MAX = 48
/** Each lost condition costs the write units of a write; a writer that loses five times in a row fails and is delivered again. */
export const CONFLICT_ATTEMPTS_MAX = 5
export const CONFLICT_BASE_MS = 20
export const CONFLICT_CAP_MS = 1000
/** Kept back from the function's time to write dead letters and to answer: no call for a user goes on into it. */
export const ANSWER_RESERVE_MS = 3000
/** The last part of it: by then what is to be set aside is, or its records are delivered again. */
export const ASIDE_RESERVE_MS = 500
