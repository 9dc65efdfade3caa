// A bug as data: what is changed in the code, what it breaks, and who is to find it.
import type { Patch } from './patched-copy.ts'

export type Killer =
  /** The simulation, within so many seeds from the first one on. */
  | { readonly kind: 'simulation'; readonly fromSeed: number; readonly seeds: number }
  /** A test file, for what the ports of the simulation stand in for. */
  | { readonly kind: 'test'; readonly file: string }

export interface PlantedBug {
  readonly name: string
  /** One sentence. */
  readonly breaks: string
  readonly patches: readonly Patch[]
  readonly killedBy: Killer
}

/** Most bugs are found within the first fifty: this many bound the time of one that is alive. */
const SEEDS_MAX = 200

export function bySimulation(seeds: number = SEEDS_MAX, fromSeed = 1): Killer {
  return { kind: 'simulation', fromSeed, seeds }
}

export function byTest(file: string): Killer {
  return { kind: 'test', file }
}
