// A local cloud as a process of its own, which a test may kill: started by forked-cloud.ts with what to run as its argument, and asked by
// messages. DynamoDB can be made unreachable, as by a network that is cut.
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { type LocalCloudOptions, startLocalCloud } from '../../localstack/local-cloud.ts'
import type { Refuse } from '../../localstack/refusal.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { refuseBeyond, type TableCapacity } from './table-capacity.ts'

export type CloudOptions = Pick<LocalCloudOptions, 'build' | 'port' | 'path' | 'pollMs' | 'environmentsMax'>

export type CloudRequest =
  | { readonly ask: 'drain'; readonly timeoutMs: number }
  | { readonly ask: 'status' }
  | { readonly ask: 'dynamodb'; readonly isReachable: boolean }
  | { readonly ask: 'capacity'; readonly capacity: TableCapacity }
  | { readonly ask: 'stop' }

export type CloudAnswer = { readonly number: number } & ({ readonly value: unknown } | { readonly error: string })

let isDynamodbReachable = true
let beyondCapacity: Refuse | undefined

// Before the request is read: it may be lost whole, or applied and its answer lost.
subscribe('http.server.request.start', message => {
  const { request } = message as { readonly request: IncomingMessage }
  const target = String(request.headers['x-amz-target'] ?? '')
  if (!isDynamodbReachable && target.startsWith('DynamoDB_')) request.socket.destroy()
})

const options = JSON.parse(process.argv[2] ?? '{}') as CloudOptions
const cloud = await startLocalCloud({
  ...options,
  refuse: (target, body) => beyondCapacity?.(target, body),
  log: (source, line) => process.stderr.write(`${source}: ${line}\n`),
})
await cloud.startAll()

process.on('message', ({ number, request }: { number: number; request: CloudRequest }) => {
  answer(request).then(
    value => process.send?.({ number, value: value ?? null }),
    (error: unknown) => process.send?.({ number, error: String(error) }),
  )
})
process.once('disconnect', () => process.exit(0))
process.send?.({ number: 0, value: { endpoint: cloud.endpoint } })

async function answer(request: CloudRequest): Promise<unknown> {
  switch (request.ask) {
    case 'drain':
      return cloud.waitUntilDrained({ timeoutMs: request.timeoutMs })
    case 'status':
      return cloud.status()
    case 'dynamodb':
      isDynamodbReachable = request.isReachable
      return undefined
    case 'capacity':
      beyondCapacity = refuseBeyond(request.capacity, systemClock)
      return undefined
    case 'stop':
      return cloud.stop()
  }
}
