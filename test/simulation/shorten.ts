// A failing run made smaller: fewer events, then without one kind of fault after the other, as long as it still fails.
import { FAULTS, type Fault } from './faults.ts'
import { runSeed, type SeedResult } from './run-seed.ts'
import type { SimulationRequest } from './world.ts'

export interface Shortened {
  readonly text: string
  readonly lines: readonly string[]
}

export async function shorten(request: SimulationRequest): Promise<Shortened> {
  let last = await runSeed(request)
  let [eventsMax, without] = [last.records, new Set<Fault>()]
  const stillFails = async (smaller: { eventsMax: number; without: ReadonlySet<Fault> }): Promise<boolean> => {
    const result: SeedResult = await runSeed({ seed: request.seed, ...smaller })
    if (result.failure !== undefined) last = result
    return result.failure !== undefined
  }
  for (const fault of FAULTS) {
    const fewer = new Set([...without, fault])
    if (await stillFails({ eventsMax, without: fewer })) without = fewer
  }
  for (let step = eventsMax >> 1; step > 0; step >>= 1) {
    while (eventsMax > step && (await stillFails({ eventsMax: eventsMax - step, without }))) eventsMax -= step
  }
  const left = FAULTS.filter(fault => !without.has(fault) && (last.fired.get(fault) ?? 0) > 0)
  return {
    text: `${eventsMax} events, faults: ${left.join(', ') || 'none'}\n${last.failure}`,
    lines: last.lines,
  }
}
