// What the local cloud and a function's process say to each other over Node's IPC channel. Events and results cross it as JSON
// text, as they do on AWS: what JSON cannot carry never reaches a handler here that it would not reach there.

export interface InvokeMessage {
  readonly requestId: string
  readonly event: string
  readonly deadlineMs: number
}

export type RuntimeMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'init-failed'; readonly error: RuntimeError }
  | { readonly kind: 'returned'; readonly requestId: string; readonly payload: string }
  | { readonly kind: 'failed'; readonly requestId: string; readonly error: RuntimeError }

export interface RuntimeError {
  readonly errorType: string
  readonly errorMessage: string
  readonly trace: readonly string[]
}

/** Lambda's limit on a synchronous invocation's event and on its result. */
export const PAYLOAD_BYTES_MAX = 6 * 1024 * 1024
