// Work that may go on together, and work that wants to be alone: it waits for what has begun, and what comes later waits for it.

export interface Turns {
  readonly together: <T>(work: () => Promise<T>) => Promise<T>
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>
}

export function turns(): Turns {
  const running = new Set<Promise<unknown>>()
  /** Settled when the last of those that want to be alone has ended; undefined: none is waiting or running. */
  let lastAlone: Promise<void> | undefined
  return {
    async together(work) {
      while (lastAlone !== undefined) await lastAlone
      const run = work()
      running.add(run)
      try {
        return await run
      } finally {
        running.delete(run)
      }
    },
    alone(work) {
      const turn = (lastAlone ?? Promise.resolve()).then(() => Promise.allSettled(running)).then(work)
      const ended = turn.then(
        () => undefined,
        () => undefined,
      )
      lastAlone = ended
      void ended.then(() => {
        if (lastAlone === ended) lastAlone = undefined
      })
      return turn
    },
  }
}
