// dynalite in this process, on a free port of the loopback interface, with a client whose credentials are nobody's.
import { once } from 'node:events'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'

export interface LocalDynamodb {
  readonly client: DynamoDBClient
  /** A table with the one key `userId`, text. */
  createUsersTable(name: string): Promise<void>
  stop(): Promise<void>
}

export async function startLocalDynamodb(): Promise<LocalDynamodb> {
  const dynalite = requireDynalite()
  const server = dynalite({ createTableMs: 0 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  return {
    client,
    async createUsersTable(name) {
      await client.send(
        new CreateTableCommand({
          TableName: name,
          AttributeDefinitions: [{ AttributeName: 'userId', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'userId', KeyType: 'HASH' }],
          BillingMode: 'PAY_PER_REQUEST',
        }),
      )
    },
    async stop() {
      client.destroy()
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

/** It brings no types; by `require`, none are asked for. */
function requireDynalite(): (options: { createTableMs: number }) => Server {
  const require = createRequire(createRequire(import.meta.url).resolve('dynalite'))
  // Where `import` is among the process's conditions, as in vitest's workers, its require('big.js') would find the ES module
  // and every number would be refused: it is given the CommonJS one.
  require('big.js/big.js')
  require.cache[require.resolve('big.js')] = require.cache[require.resolve('big.js/big.js')]
  return require('dynalite')
}
