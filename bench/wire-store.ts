// Starts the store of `wire-store-process.ts` and talks to it.
import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { awsClients } from '../src/compose/clients.ts'
import type { StoreAnswer, StoreRequest } from './wire-store-process.ts'

export interface WireStoreClient {
  readonly client: DynamoDBClient
  /** What is there now is what `restore` brings back. */
  keep(): Promise<void>
  restore(): Promise<void>
  /** Items as they came, JSON. */
  items(): Promise<readonly string[]>
  stop(): void
}

export async function startWireStore(): Promise<WireStoreClient> {
  const child = fork(join(import.meta.dirname, 'wire-store-process.ts'), {
    execArgv: ['--conditions=millrace-source'],
  })
  const next = (): Promise<StoreAnswer> =>
    new Promise(resolve => child.once('message', message => resolve(message as StoreAnswer)))
  const ask = (request: StoreRequest): Promise<StoreAnswer> => {
    const answered = next()
    child.send(request)
    return answered
  }
  const started = await next()
  if (!('port' in started)) throw new Error('The store of the bench has no port')
  const clients = awsClients({ AWS_ENDPOINT_URL: `http://127.0.0.1:${started.port}` })
  return {
    client: clients.dynamodb,
    keep: async () => void (await ask({ kind: 'keep' })),
    restore: async () => void (await ask({ kind: 'restore' })),
    items: async () => {
      const answer = await ask({ kind: 'items' })
      return 'items' in answer ? answer.items : []
    },
    stop: () => {
      clients.destroy()
      child.disconnect()
    },
  }
}
