// A definition whose largest item is over the limit is refused before it is deployed: a user who got there would be refused event by
// event, as dead letters, and it would be the most active one.
import { MillraceError } from '../platform/errors.ts'
import { ITEM_BYTES_RAISED_MAX } from '../predictions/item-limits.ts'
import type { EstimatedState, ItemEstimate } from './estimate-item.ts'

const STATES_NAMED_MAX = 3

/** Undefined where no item can be over the limit. */
export function definitionTooBig({ worst, bytesMax }: ItemEstimate): MillraceError | undefined {
  if (worst.bytes <= bytesMax) return undefined
  const largest = worst.states.slice(0, STATES_NAMED_MAX).map(stateText).join('; ')
  return new MillraceError(
    `A user's item may have ${worst.bytes} bytes, ${bytesMax} are allowed. The largest states: ${largest}`,
    { code: 'definition-too-big', next: wayOut(worst.bytes) },
  )
}

export function wayOut(bytes: number): string {
  const smaller = 'Let them keep less (shorter windows, fewer keys, smaller lists)'
  if (bytes > ITEM_BYTES_RAISED_MAX) return `${smaller}; no item may have more than ${ITEM_BYTES_RAISED_MAX}.`
  const raised = Math.ceil(bytes / 1024) * 1024
  return `${smaller}; or take the cost and say so: pipeline({ itemBytesMax: ${raised} }).`
}

export function stateText({ bytes, readBy }: EstimatedState): string {
  const [first = '', ...others] = readBy
  return `${bytes} bytes for ${first}${others.length === 0 ? '' : ` and ${others.length} more`}`
}
