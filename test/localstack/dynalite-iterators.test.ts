import { createRequire } from 'node:module'
import { PutItemCommand, QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb'
import { expect, it, vi } from 'vitest'
import { letDynaliteCloseIterators } from '../../localstack/dynalite-iterators.ts'
import { createCatalogTable } from '../fakes/dynalite-catalog.ts'
import { startLocalDynamodb } from '../fakes/local-dynamodb.ts'

it('closes the iterator of every query and scan, whether or not they came to the end', async () => {
  letDynaliteCloseIterators()
  const closed = vi.spyOn(valueIterator(), 'close')
  const local = await startLocalDynamodb()
  const { client } = local
  try {
    await createCatalogTable(client, 'catalog')
    for (const sk of ['1', '2', '3']) {
      await client.send(new PutItemCommand({ TableName: 'catalog', Item: { table: { S: 'a.b' }, sk: { S: sk } } }))
    }
    const before = closed.mock.calls.length
    const query = {
      TableName: 'catalog',
      KeyConditionExpression: '#t = :t',
      ExpressionAttributeNames: { '#t': 'table' },
      ExpressionAttributeValues: { ':t': { S: 'a.b' } },
    }
    expect((await client.send(new QueryCommand({ ...query, Limit: 1 }))).Items).toHaveLength(1)
    expect((await client.send(new QueryCommand(query))).Items).toHaveLength(3)
    expect((await client.send(new ScanCommand({ TableName: 'catalog', Limit: 2 }))).Items).toHaveLength(2)
    await vi.waitFor(() => expect(closed.mock.calls.length - before).toBe(3))
  } finally {
    closed.mockRestore()
    await local.stop()
  }
})

function valueIterator(): { close(): Promise<void> } {
  const fromDynalite = createRequire(import.meta.resolve('dynalite'))
  const { AbstractValueIterator } = createRequire(fromDynalite.resolve('memory-level'))('abstract-level') as {
    readonly AbstractValueIterator: { readonly prototype: { close(): Promise<void> } }
  }
  return AbstractValueIterator.prototype
}
