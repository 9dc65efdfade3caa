// A user's item removed from the DynamoDB table: one conditional DeleteItem of the version that was read. An item that cannot be read has no
// version to rely on, and goes as it is.
import { ConditionalCheckFailedException, DeleteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { toStoreError } from './dynamodb-errors.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from './user-item.ts'
import type { UserRemover } from './user-remover.ts'

export interface DynamodbUserRemoverOptions {
  readonly client: DynamoDBClient
  readonly table: string
}

export function dynamodbUserRemover({ client, table }: DynamodbUserRemoverOptions): UserRemover {
  return {
    async remove(item) {
      try {
        await client.send(
          new DeleteItemCommand({ TableName: table, Key: { userId: { S: item.userId } }, ...conditionOf(item) }),
        )
        return 'removed'
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return 'changed'
        throw toStoreError(error, 'DeleteItem', table)
      }
    },
  }
}

function conditionOf(item: StoredItem | CorruptItem): object {
  if (isCorrupt(item)) return {}
  return { ConditionExpression: 'v = :v', ExpressionAttributeValues: { ':v': { N: String(item.v) } } }
}
