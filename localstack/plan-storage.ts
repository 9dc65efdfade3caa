// Streams, tables and buckets of a template. What only protects them on AWS (encryption, backups, versions) is left aside.
import * as z from 'zod/mini'
import type { BucketPlan, IndexPlan, KeyPlan, StreamPlan, TablePlan } from './deployment-plan.ts'
import { TemplateError } from './errors.ts'
import type { PlanningContext } from './plan-deployment.ts'
import { numeric, readProperties } from './read-properties.ts'

const streamSchema = z.looseObject({ ShardCount: z.optional(numeric) })

/** An on-demand stream starts with four shards on AWS. */
const ON_DEMAND_SHARDS = 4

export function streamsOf({ resources }: PlanningContext): StreamPlan[] {
  return resources
    .filter(({ type }) => type === 'AWS::Kinesis::Stream')
    .map(resource => ({
      logicalId: resource.logicalId,
      streamName: resource.name,
      shardCount: readProperties(resource, streamSchema).ShardCount ?? ON_DEMAND_SHARDS,
    }))
}

const keySchema = z.array(z.looseObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }))

const indexSchema = z.looseObject({
  IndexName: z.string(),
  KeySchema: keySchema,
  Projection: z.looseObject({
    ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
    NonKeyAttributes: z.optional(z.array(z.string())),
  }),
})

const tableSchema = z.looseObject({
  AttributeDefinitions: z.array(z.looseObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) })),
  KeySchema: keySchema,
  GlobalSecondaryIndexes: z.optional(z.array(indexSchema)),
  LocalSecondaryIndexes: z.optional(z.array(indexSchema)),
  StreamSpecification: z.optional(z.unknown()),
  TimeToLiveSpecification: z.optional(z.unknown()),
})

export function tablesOf({ resources, note }: PlanningContext): TablePlan[] {
  return resources
    .filter(({ type }) => type === 'AWS::DynamoDB::Table')
    .map(resource => {
      const { logicalId } = resource
      const table = readProperties(resource, tableSchema)
      if (table.StreamSpecification !== undefined)
        throw new TemplateError('streams of tables are not supported', { logicalId })
      if (table.TimeToLiveSpecification !== undefined)
        note(`${logicalId}: items are not removed when their time to live ends.`)
      return {
        logicalId,
        tableName: resource.name,
        attributes: table.AttributeDefinitions.map(({ AttributeName, AttributeType }) => ({
          name: AttributeName,
          type: AttributeType,
        })),
        key: keyOf(table.KeySchema, logicalId),
        globalIndexes: (table.GlobalSecondaryIndexes ?? []).map(index => indexOf(index, logicalId)),
        localIndexes: (table.LocalSecondaryIndexes ?? []).map(index => indexOf(index, logicalId)),
      }
    })
}

function indexOf({ IndexName, KeySchema, Projection }: z.infer<typeof indexSchema>, logicalId: string): IndexPlan {
  return {
    indexName: IndexName,
    key: keyOf(KeySchema, logicalId),
    projection: { type: Projection.ProjectionType, attributes: Projection.NonKeyAttributes ?? [] },
  }
}

function keyOf(schema: z.infer<typeof keySchema>, logicalId: string): KeyPlan {
  const hash = schema.find(({ KeyType }) => KeyType === 'HASH')
  const range = schema.find(({ KeyType }) => KeyType === 'RANGE')
  if (hash === undefined) throw new TemplateError('a key schema has no HASH attribute', { logicalId })
  return { hash: hash.AttributeName, ...(range === undefined ? {} : { range: range.AttributeName }) }
}

export function bucketsOf({ resources }: PlanningContext): BucketPlan[] {
  return resources
    .filter(({ type }) => type === 'AWS::S3::Bucket')
    .map(({ logicalId, name }) => ({ logicalId, bucketName: name }))
}
