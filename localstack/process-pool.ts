// Shares a few processes between many users: an idle one first, a new one while there are fewer than allowed, else wait for
// the next that becomes free. A dead one drops out when its turn comes.
export interface Pooled {
  isAlive(): boolean
}

export interface ProcessPool<P extends Pooled> {
  readonly use: <Result>(work: (process: P) => Promise<Result>) => Promise<Result>
  readonly members: () => readonly P[]
}

export interface ProcessPoolOptions<P extends Pooled> {
  readonly processesMax: number
  readonly start: () => Promise<P>
}

export function processPool<P extends Pooled>({ processesMax, start }: ProcessPoolOptions<P>): ProcessPool<P> {
  const processes = new Set<P>()
  const idle: P[] = []
  const waiting: (() => void)[] = []
  let starting = 0

  async function acquire(): Promise<P> {
    for (;;) {
      const candidate = idle.pop()
      if (candidate?.isAlive() === true) return candidate
      if (candidate !== undefined) processes.delete(candidate)
      else if (processes.size + starting < processesMax) return begin()
      else await new Promise<void>(resolve => waiting.push(resolve))
    }
  }

  async function begin(): Promise<P> {
    starting++
    try {
      const begun = await start()
      processes.add(begun)
      return begun
    } catch (error) {
      waiting.shift()?.()
      throw error
    } finally {
      starting--
    }
  }

  function release(used: P): void {
    idle.push(used)
    waiting.shift()?.()
  }

  return {
    members: () => [...processes].filter(each => each.isAlive()),
    use: async work => {
      const process = await acquire()
      try {
        return await work(process)
      } finally {
        release(process)
      }
    },
  }
}
