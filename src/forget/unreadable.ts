// What cannot be read of a batch: it is left and named, and keeps nobody from being forgotten elsewhere. A store that does not answer is
// something else: that fails the run.
import { MillraceError } from '../platform/errors.ts'

/** Whatever a decoder throws, of Parquet, gzip or JSON: the bytes are not what the catalogue says. */
class PartUnreadable extends MillraceError {
  constructor(cause: unknown) {
    super('A part of a batch cannot be decoded', { code: 'part-unreadable', cause })
  }
}

/** `decode` does no I/O. Throws MillraceError `part-unreadable`. */
export async function decoding<T>(decode: () => Promise<T>): Promise<T> {
  try {
    return await decode()
  } catch (error) {
    throw new PartUnreadable(error)
  }
}

const UNREADABLE: ReadonlySet<string> = new Set([
  'batch-damaged',
  'batch-purged',
  'catalog-item-corrupt',
  'manifest-invalid',
  'part-differs',
])

/** Codes only: what a decoder says may quote what it reads. Undefined: the error is of something else. */
export function unreadableReason(error: unknown): string | undefined {
  const what = whatOf(error)
  return what && `${what}: mend it, or replace it and let it go by \`millrace table retain\`, then run it again`
}

function whatOf(error: unknown): string | undefined {
  if (!(error instanceof MillraceError)) return undefined
  const { code, cause } = error
  if (error instanceof PartUnreadable) {
    return `it cannot be decoded (${cause instanceof MillraceError ? cause.code : 'not of its format'})`
  }
  return UNREADABLE.has(code) ? `it cannot be read (${code})` : undefined
}
