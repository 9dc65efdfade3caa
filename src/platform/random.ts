// Randomness comes in as an argument. The seeded generator is mulberry32 (Tommy Ettinger, public domain): 32 bits of
// state are enough for jitter and for tests, and never used for secrets.

/** A number in [0, 1). */
export type Random = () => number

export const systemRandom: Random = () => Math.random()

export function seededRandom(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
