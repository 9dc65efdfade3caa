// The base of every error that Millrace throws on purpose. Decisions read `code` and `retriable`, never the message; people
// read the message and `next`.

export interface MillraceErrorOptions {
  /** Stable, kebab-case, part of the public interface: `model-not-found`. */
  readonly code: string
  /** Whether the same call may succeed later with nothing changed. */
  readonly retriable?: boolean
  /** What to do about it, one sentence. */
  readonly next?: string
  readonly cause?: unknown
}

export class MillraceError extends Error {
  readonly code: string
  readonly retriable: boolean
  readonly next: string | undefined

  constructor(message: string, options: MillraceErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = options.code
    this.retriable = options.retriable ?? false
    this.next = options.next
  }
}

/** An object store that did not do what it was asked to: `object-store-unreachable`, `object-store-denied` … */
export class ObjectStoreError extends MillraceError {
  /** The object's key or the listed prefix. */
  readonly key: string

  constructor(message: string, options: MillraceErrorOptions & { readonly key: string }) {
    super(message, options)
    this.key = options.key
  }
}
