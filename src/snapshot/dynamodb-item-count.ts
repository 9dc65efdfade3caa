// How many items DynamoDB says the table has: counted every six hours or so, and enough to see that a scan has met about all.
import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'

/** Undefined where it does not say. */
export async function dynamodbItemCount(client: DynamoDBClient, table: string): Promise<number | undefined> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }))
  return Table?.ItemCount
}
