// S3's `If-None-Match: *` on writes, which fauxqs ignores: of all that would create one key, one does and the others get 412.
// Without it the immutable objects that Millrace stands on could be overwritten on a laptop and not on AWS.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendS3Error } from './http-answer.ts'

interface ObjectWriter {
  s3(request: IncomingMessage, response: ServerResponse): void
  hasObject(path: string): Promise<boolean>
}

export function conditionalCreate(
  store: ObjectWriter,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  /** The last writer of each key; whoever comes next waits for it. */
  const writers = new Map<string, Promise<void>>()
  return async (request, response) => {
    const isWrite = request.method === 'PUT' || request.method === 'POST'
    if (!isWrite || request.headers['if-none-match'] !== '*') {
      store.s3(request, response)
      return
    }
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const create = () => createIfAbsent(store, path, request, response)
    const turn = (writers.get(path) ?? Promise.resolve()).then(create, create)
    writers.set(path, turn)
    try {
      await turn
    } finally {
      if (writers.get(path) === turn) writers.delete(path)
    }
  }
}

async function createIfAbsent(
  store: ObjectWriter,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (await store.hasObject(path)) {
    request.resume()
    sendS3Error(response, 412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold')
    return
  }
  const done = new Promise<void>(resolve => response.once('close', resolve))
  store.s3(request, response)
  await done
}
