// Calls that end before the process does. A function that is killed answers nothing, and then a whole batch comes again; one whose
// calls are cut off in time says itself what is done. The SDK's own tries and the waits between them count.
import { MillraceError } from './errors.ts'

/** What a call may still take, ms; not above 0: none may begin. */
export type TimeLeft = () => number

/** Time is nearly up: what is not done is to be done again. A call that was cut off may have had its effect. */
export class DeadlineError extends MillraceError {
  constructor() {
    super('The time of the function was nearly up', {
      code: 'deadline-near',
      retriable: true,
      next: 'Raise the timeout or lower the batch size if this is not rare.',
    })
  }
}

export interface CallOptions {
  readonly abortSignal?: AbortSignal
}

/** The longest that a timer of Node can be. What has more time than that needs none. */
const TIMER_MS_MAX = 2 ** 31 - 1

/**
 * The call's outcome, or DeadlineError when its time is up. `call` gets a signal to end what it began, and is not waited for:
 * an SDK that sleeps between two tries does not hear it before the next.
 */
export async function endInTime<T>(
  timeLeftMs: TimeLeft | undefined,
  call: (options: CallOptions) => Promise<T>,
): Promise<T> {
  const leftMs = timeLeftMs?.() ?? Number.POSITIVE_INFINITY
  if (leftMs <= 0) throw new DeadlineError()
  if (leftMs > TIMER_MS_MAX) return call({})
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const timeIsUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new DeadlineError())
      controller.abort()
    }, leftMs)
  })
  try {
    return await Promise.race([call({ abortSignal: controller.signal }), timeIsUp])
  } finally {
    clearTimeout(timer)
  }
}

/** Throws DeadlineError where a wait would leave no time for what is to follow it. */
export function refuseToWait(waitMs: number, timeLeftMs: TimeLeft | undefined): void {
  if (timeLeftMs !== undefined && waitMs >= timeLeftMs()) throw new DeadlineError()
}
