// Time comes in as an argument everywhere, so that a seed replays a run. Only compose and the CLI make a real clock.

/** Milliseconds since 1970, UTC. */
export type Clock = () => number

/** Waits; tests pass one that returns at once and records the time. */
export type Sleep = (ms: number) => Promise<void>

export const systemClock: Clock = () => Date.now()

export const systemSleep: Sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

/** `2016-01-02T03:04:05.678Z`, the form in which people see an instant. */
export function toRfc3339(ms: number): string {
  return new Date(ms).toISOString()
}
