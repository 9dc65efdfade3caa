// A call that wakes whoever waits for it. A wait that ends otherwise leaves nothing behind: racing against one promise that lasts
// as long as the cloud would gather a handler for every wait.
export interface Signal {
  readonly raise: () => void
  /** Until the next raise, or until the limit is over. */
  readonly wait: (limit?: Promise<unknown>) => Promise<void>
  /** Calls the listener at every raise; what it returns ends that. */
  readonly subscribe: (listener: () => void) => () => void
}

export function signal(): Signal {
  const listeners = new Set<() => void>()
  return {
    raise: () => {
      for (const listener of listeners) listener()
    },
    wait: limit =>
      new Promise((resolve, reject) => {
        const wake = (): void => {
          listeners.delete(wake)
          resolve()
        }
        listeners.add(wake)
        limit?.then(wake, reject)
      }),
    subscribe: listener => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
