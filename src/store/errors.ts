// What the store throws. A message names attributes, operations and sizes, never a user id or a value: messages end up in logs.
import { MillraceError, type MillraceErrorOptions } from '../platform/errors.ts'

/** `service-unreachable` and `store-unavailable` (retriable), `table-missing`, `store-refused`, `too-many-keys`, `item-invalid`, `item-too-big`, `item-corrupt`. */
export class StoreError extends MillraceError {}

/** A stored item that is not what was written. Never retriable, and the item is left as it is. */
export class CorruptItemError extends StoreError {
  /** What is wrong with which attribute. */
  readonly reason: string

  constructor(reason: string, options: Partial<MillraceErrorOptions> = {}) {
    super(`The stored item is corrupt: ${reason}`, {
      code: 'item-corrupt',
      next: 'It was not overwritten. Make it right from the archive: millrace users repair ID.',
      ...options,
    })
    this.reason = reason
  }
}

/** A caller's mistake, found before anything was written. */
export function invalidItem(what: string): StoreError {
  return new StoreError(`The item cannot be stored: ${what}`, { code: 'item-invalid' })
}

/** An object that an item names is gone, or is not what the item says. */
export class SpillMissingError extends StoreError {
  constructor(key: string) {
    super(`The prediction ${key} is not there, or not what its item says`, {
      code: 'spill-missing',
      next: 'Its user is evaluated at each GET until its prediction changes. Was the object removed by hand?',
    })
  }
}
