// Chooses the moment at which a worker is killed, by what it asks of the cloud just then: every request passes this process, so the kill
// comes before, while or after the cloud applies it, and the worker never hears of it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { systemSleep } from '../../src/platform/clock.ts'
import type { Random } from '../../src/platform/random.ts'

export type MomentKind = 'any time' | 'reading users' | 'writing a user' | 'writing dead letters' | 'archiving'

export interface Moment {
  readonly kind: MomentKind
  /** The how many-th such request. */
  readonly request: number
  /** Between the request and the kill: 0 is before the cloud has read it. */
  readonly delayMs: number
  /** All workers of the function, or one. */
  readonly isAll: boolean
}

/** The share of each kind of round. */
const KINDS: readonly (readonly [MomentKind, number])[] = [
  ['any time', 0.2],
  ['reading users', 0.1],
  ['writing a user', 0.35],
  ['writing dead letters', 0.2],
  ['archiving', 0.15],
]
const REQUESTS_MAX: Readonly<Record<MomentKind, number>> = {
  'any time': 1,
  'reading users': 2,
  'writing a user': 60,
  'writing dead letters': 1,
  archiving: 1,
}
const DELAY_MS_MAX = 8
const ANY_TIME_MS_MAX = 400
const ALL_SHARE = 0.4

export function chooseMoment(random: Random): Moment {
  const kind = chooseKind(random())
  return {
    kind,
    request: 1 + Math.floor(random() * REQUESTS_MAX[kind]),
    delayMs: Math.floor(random() * (kind === 'any time' ? ANY_TIME_MS_MAX : DELAY_MS_MAX)),
    isAll: random() < ALL_SHARE,
  }
}

function chooseKind(share: number): MomentKind {
  let sum = 0
  for (const [kind, own] of KINDS) if (share < (sum += own)) return kind
  return 'any time'
}

/** Resolves true when the moment is there, false when it has not come by then. */
export async function whenMoment({ kind, request, delayMs }: Moment, timeoutMs: number): Promise<boolean> {
  if (kind !== 'any time' && !(await whenRequested(kind, request, timeoutMs))) return false
  if (delayMs > 0) await systemSleep(delayMs)
  return true
}

/** Node tells of every request as soon as its headers are read. */
const CHANNEL = 'http.server.request.start'

function whenRequested(kind: MomentKind, count: number, timeoutMs: number): Promise<boolean> {
  return new Promise(resolve => {
    let seen = 0
    const end = (isThere: boolean): void => {
      clearTimeout(timer)
      unsubscribe(CHANNEL, look)
      resolve(isThere)
    }
    const look = (message: unknown): void => {
      if (isRequestOf((message as { readonly request: IncomingMessage }).request, kind) && ++seen === count) end(true)
    }
    const timer = setTimeout(end, timeoutMs, false)
    subscribe(CHANNEL, look)
  })
}

function isRequestOf({ method, url = '', headers }: IncomingMessage, kind: MomentKind): boolean {
  const target = String(headers['x-amz-target'] ?? '')
  switch (kind) {
    case 'any time':
      return true
    case 'reading users':
      return target.endsWith('.BatchGetItem')
    case 'writing a user':
      return target.endsWith('.PutItem')
    case 'writing dead letters':
      return method === 'PUT' && url.includes('/deadletters/')
    case 'archiving':
      return method === 'PUT' && url.includes('/raw/')
  }
}
