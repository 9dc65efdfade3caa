// Writers of one table whose calls to it take turns as a schedule says: every order in which they can meet is run, or one by
// chance. A put may be applied with its answer lost, and then the SDK's own second try of it meets what is there by then.
import type { PutOutcome, UserStore } from '../../src/store/user-item.ts'

/** One of `options`, 0 to options − 1. */
export type Choose = (options: number) => number

interface Waiting {
  readonly isPut: boolean
  readonly go: (isAnswerLost: boolean) => void
}

export class Turns {
  readonly #waiting: Waiting[] = []
  readonly #choose: Choose
  #lossesLeft: number
  puts = 0

  constructor(choose: Choose, lossesMax: number) {
    this.#choose = choose
    this.#lossesLeft = lossesMax
  }

  /** The table as one writer reaches it. */
  storeOf(users: UserStore): UserStore {
    return {
      scan: (segment, segments) => users.scan(segment, segments),
      load: async userId => {
        await this.#turn(false)
        return users.load(userId)
      },
      loadMany: async userIds => {
        await this.#turn(false)
        return users.loadMany(userIds)
      },
      put: async (item, expected) => {
        const isAnswerLost = await this.#turn(true)
        const outcome = await this.#counted(users.put(item, expected))
        if (!isAnswerLost) return outcome
        await this.#turn(false)
        return this.#counted(users.put(item, expected))
      },
    }
  }

  /** Runs until nobody waits any more. */
  async run(writers: readonly Promise<unknown>[]): Promise<void> {
    for (;;) {
      await quiet()
      if (this.#waiting.length === 0) break
      const options = this.#waiting.flatMap((waiting, index) =>
        waiting.isPut && this.#lossesLeft > 0
          ? [[index, false] as const, [index, true] as const]
          : [[index, false] as const],
      )
      const [index, isAnswerLost] = options[this.#choose(options.length)] ?? [0, false]
      if (isAnswerLost) this.#lossesLeft--
      this.#waiting.splice(index, 1)[0]?.go(isAnswerLost)
    }
    await Promise.all(writers)
  }

  async #counted(put: Promise<PutOutcome>): Promise<PutOutcome> {
    const outcome = await put
    if (outcome.outcome === 'written') this.puts++
    return outcome
  }

  #turn(isPut: boolean): Promise<boolean> {
    return new Promise(resolve => this.#waiting.push({ isPut, go: resolve }))
  }
}

/** Everybody has come to where they wait for a turn: nothing here waits for anything but promises. */
function quiet(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** Every schedule once, depth first. How many there were. */
export async function everySchedule(run: (choose: Choose) => Promise<void>): Promise<number> {
  let path: number[] = []
  for (let schedules = 1; ; schedules++) {
    const options: number[] = []
    const taken: number[] = []
    await run(count => {
      const choice = path[taken.length] ?? 0
      options.push(count)
      taken.push(choice)
      return choice
    })
    let last = taken.length - 1
    while (last >= 0 && (taken[last] ?? 0) + 1 >= (options[last] ?? 0)) last--
    if (last < 0) return schedules
    path = [...taken.slice(0, last), (taken[last] ?? 0) + 1]
  }
}
