// What a template comes down to: the resources to create and how they are wired. Plain data, so that planning can be tested
// without a cloud and executing has nothing left to decide.

export interface DeploymentPlan {
  readonly streams: readonly StreamPlan[]
  readonly tables: readonly TablePlan[]
  readonly buckets: readonly BucketPlan[]
  readonly functions: readonly FunctionPlan[]
  readonly mappings: readonly MappingPlan[]
  readonly routes: readonly RoutePlan[]
  readonly schedules: readonly SchedulePlan[]
  readonly outputs: Readonly<Record<string, string>>
  /** What is different here from AWS, in sentences, to be shown at start. */
  readonly notes: readonly string[]
}

export interface StreamPlan {
  readonly logicalId: string
  readonly streamName: string
  readonly shardCount: number
}

export interface TablePlan {
  readonly logicalId: string
  readonly tableName: string
  readonly attributes: readonly { readonly name: string; readonly type: 'S' | 'N' | 'B' }[]
  readonly key: KeyPlan
  readonly globalIndexes: readonly IndexPlan[]
  readonly localIndexes: readonly IndexPlan[]
}

export interface KeyPlan {
  readonly hash: string
  readonly range?: string
}

export interface IndexPlan {
  readonly indexName: string
  readonly key: KeyPlan
  readonly projection: { readonly type: 'ALL' | 'KEYS_ONLY' | 'INCLUDE'; readonly attributes: readonly string[] }
}

export interface BucketPlan {
  readonly logicalId: string
  readonly bucketName: string
}

export interface FunctionPlan {
  readonly logicalId: string
  readonly functionName: string
  readonly functionArn: string
  readonly roleArn: string
  /** Base name of the packaged code, without `.zip`: the function's short name. */
  readonly key: string
  /** `index.handler` */
  readonly handler: string
  readonly timeoutMs: number
  readonly memoryMb: number
  readonly environment: Readonly<Record<string, string>>
  readonly architecture: string
}

export interface MappingPlan {
  readonly logicalId: string
  /** What Lambda's API calls it, and the folder of the batches that it gives up. */
  readonly uuid: string
  readonly streamName: string
  readonly streamArn: string
  readonly functionName: string
  readonly functionArn: string
  /** At the start; it can be disabled and enabled later. */
  readonly isEnabled: boolean
  readonly batchSize: number
  readonly batchingWindowMs: number
  readonly startingPosition: StartingPosition
  /** −1: until the record leaves the stream. */
  readonly maximumRetryAttempts: number
  /** −1: never too old, until the record leaves the stream. */
  readonly maximumRecordAgeMs: number
  /** Batches of one shard that may be in flight at once, 1 to 10; one for each group of partition keys. */
  readonly parallelizationFactor: number
  readonly bisectsBatchOnFunctionError: boolean
  readonly reportsBatchItemFailures: boolean
  /** Where batches that are given up go; undefined: nowhere, they are counted and logged. */
  readonly onFailureBucket: string | undefined
}

export type StartingPosition =
  | { readonly type: 'TRIM_HORIZON' | 'LATEST' }
  | { readonly type: 'AT_TIMESTAMP'; readonly atMs: number }

export interface RoutePlan {
  readonly logicalId: string
  /** `GET /users/{userId}/features`, or `$default`. */
  readonly routeKey: string
  readonly apiId: string
  readonly functionName: string
  readonly timeoutMs: number
}

export interface SchedulePlan {
  readonly logicalId: string
  readonly arn: string
  readonly source: 'aws.events' | 'aws.scheduler'
  readonly expression: string
  readonly isEnabled: boolean
  readonly functionName: string
  /** The event as JSON, where the template gives one. */
  readonly input?: string
}
