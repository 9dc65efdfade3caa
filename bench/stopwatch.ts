// Time of one call. `fastest` by the clock is what the work takes when nobody else is on the core; the median of the process's own CPU
// time is what it usually takes, collection of garbage included, however many others there are.

export interface Rounds {
  readonly rounds: number
  readonly calls: number
}

const USUAL: Rounds = { rounds: 20, calls: 50 }

export function fastestMicroseconds(work: () => unknown, rounds: Rounds = USUAL): number {
  return Math.min(...measure(work, rounds, () => Number(process.hrtime.bigint()) / 1000))
}

export function medianCpuMicroseconds(work: () => unknown, rounds: Rounds = USUAL): number {
  return quantile(measure(work, rounds, cpuMicroseconds), 0.5)
}

/** The value that the share q of the values does not exceed. */
export function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? 0
}

function measure(work: () => unknown, { rounds, calls }: Rounds, clock: () => number): number[] {
  return Array.from({ length: rounds }, () => {
    const start = clock()
    for (let call = 0; call < calls; call++) work()
    return (clock() - start) / calls
  })
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
