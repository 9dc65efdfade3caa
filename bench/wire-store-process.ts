// The bench's store in a process of its own behind a socket, so that what a handler's CPU is counted to be is the handler's alone: as where
// it is deployed. Its parent keeps and sets back the items.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { wireStore } from './memory-dynamodb.ts'

export type StoreRequest = { readonly kind: 'keep' } | { readonly kind: 'restore' } | { readonly kind: 'items' }
export type StoreAnswer = { readonly port: number } | { readonly items: readonly string[] } | { readonly isDone: true }

const store = wireStore()
let kept = store.items
const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', chunk => void chunks.push(chunk as Buffer))
  request.on('end', () => {
    const text = store.answer(String(request.headers['x-amz-target']), Buffer.concat(chunks).toString())
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  })
})
// While one side warms up the other's connections are idle: closed by the server, they would fail the next batch.
server.keepAliveTimeout = 0
server.listen(0, '127.0.0.1', () => answer({ port: (server.address() as AddressInfo).port }))

process.on('message', message => {
  const { kind } = message as StoreRequest
  if (kind === 'items') return answer({ items: [...store.items.values()] })
  if (kind === 'keep') kept = new Map(store.items)
  else store.items = new Map(kept)
  answer({ isDone: true })
})
process.once('disconnect', () => process.exit(0))

function answer(value: StoreAnswer): void {
  process.send?.(value)
}
