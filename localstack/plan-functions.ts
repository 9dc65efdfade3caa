// Functions and event source mappings of a template. A property of a mapping that would change which records a function sees
// is never passed over: it is emulated, noted as different, or refused.
import { basename } from 'node:path/posix'
import * as z from 'zod/mini'
import type { FunctionPlan, MappingPlan, StartingPosition } from './deployment-plan.ts'
import { TemplateError } from './errors.ts'
import type { PlanningContext, WantedResource } from './plan-deployment.ts'
import { flag, numeric, readProperties, text } from './read-properties.ts'

const SECOND_MS = 1000
/** Lambda's defaults where a template says nothing. */
const TIMEOUT_SECONDS_DEFAULT = 3
const MEMORY_MB_DEFAULT = 128
const BATCH_SIZE_DEFAULT = 100

const functionSchema = z.looseObject({
  Handler: z.string(),
  Runtime: z.string().check(z.regex(/^nodejs/, 'only Node.js functions run in the local cloud')),
  Code: z.looseObject({ S3Key: z.string().check(z.endsWith('.zip')) }),
  Timeout: z.optional(numeric),
  MemorySize: z.optional(numeric),
  Environment: z.optional(z.looseObject({ Variables: z.optional(z.record(z.string(), text)) })),
  Architectures: z.optional(z.array(z.string())),
  Role: z.optional(z.string()),
  Layers: z.optional(z.array(z.unknown()).check(z.maxLength(0, 'layers are not supported'))),
})

export function functionsOf({ resources, arnOf }: PlanningContext): FunctionPlan[] {
  return resources
    .filter(({ type }) => type === 'AWS::Lambda::Function')
    .map(resource => {
      const properties = readProperties(resource, functionSchema)
      return {
        logicalId: resource.logicalId,
        functionName: resource.name,
        functionArn: arnOf(resource.logicalId),
        roleArn: properties.Role ?? '',
        key: basename(properties.Code.S3Key, '.zip'),
        handler: properties.Handler,
        timeoutMs: (properties.Timeout ?? TIMEOUT_SECONDS_DEFAULT) * SECOND_MS,
        memoryMb: properties.MemorySize ?? MEMORY_MB_DEFAULT,
        environment: properties.Environment?.Variables ?? {},
        architecture: properties.Architectures?.[0] ?? 'x86_64',
      }
    })
}

/** Strict: a property that is not here might drop or reorder records. */
const mappingSchema = z.strictObject({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  StartingPosition: z.enum(['TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP']),
  StartingPositionTimestamp: z.optional(numeric),
  Enabled: z.optional(flag),
  BatchSize: z.optional(numberIn({ min: 1, max: 10_000 })),
  MaximumBatchingWindowInSeconds: z.optional(numberIn({ min: 0, max: 300 })),
  MaximumRetryAttempts: z.optional(numberIn({ min: -1, max: 10_000 })),
  FunctionResponseTypes: z.optional(z.array(z.literal('ReportBatchItemFailures'))),
  BisectBatchOnFunctionError: z.optional(flag),
  DestinationConfig: z.optional(z.strictObject({ OnFailure: z.optional(z.strictObject({ Destination: z.string() })) })),
  MaximumRecordAgeInSeconds: z.optional(
    numeric.check(z.refine(isRecordAge, 'MaximumRecordAgeInSeconds is -1 or 60 to 604800')),
  ),
  ParallelizationFactor: z.optional(numberIn({ min: 1, max: 10 })),
  TumblingWindowInSeconds: z.optional(
    numeric.check(
      z.refine(
        seconds => seconds === 0,
        'TumblingWindowInSeconds is not supported: state of a window does not outlast a split of its shard',
      ),
    ),
  ),
  FilterCriteria: z.optional(
    z.undefined(
      'FilterCriteria is not supported: records that it does not match are dropped unseen; filter in the function',
    ),
  ),
  MetricsConfig: z.optional(z.unknown()),
  Tags: z.optional(z.unknown()),
})

function numberIn({ min, max }: { readonly min: number; readonly max: number }) {
  return numeric.check(z.refine(value => value >= min && value <= max, `between ${min} and ${max} on AWS`))
}

function isRecordAge(seconds: number): boolean {
  return seconds === -1 || (seconds >= 60 && seconds <= 604_800)
}

/** What AWS echoes where a mapping retries without end; it accepts both. */
const ENDLESS_RETRIES = [-1, 10_000]

export function mappingsOf(context: PlanningContext, functions: readonly FunctionPlan[]): MappingPlan[] {
  return context.resources
    .filter(({ type }) => type === 'AWS::Lambda::EventSourceMapping')
    .map(resource => {
      const { logicalId } = resource
      const mapping = readProperties(resource, mappingSchema)
      const target = functionOf(mapping.FunctionName, functions, logicalId)
      const retries = mapping.MaximumRetryAttempts ?? -1
      const ageSeconds = mapping.MaximumRecordAgeInSeconds ?? -1
      return {
        logicalId,
        uuid: resource.name,
        streamName: streamOf(mapping.EventSourceArn, context, logicalId).name,
        streamArn: mapping.EventSourceArn,
        functionName: target.functionName,
        functionArn: target.functionArn,
        isEnabled: mapping.Enabled ?? true,
        batchSize: mapping.BatchSize ?? BATCH_SIZE_DEFAULT,
        batchingWindowMs: (mapping.MaximumBatchingWindowInSeconds ?? 0) * SECOND_MS,
        startingPosition: startingPositionOf(mapping, logicalId),
        maximumRetryAttempts: ENDLESS_RETRIES.includes(retries) ? -1 : retries,
        maximumRecordAgeMs: ageSeconds === -1 ? -1 : ageSeconds * SECOND_MS,
        parallelizationFactor: mapping.ParallelizationFactor ?? 1,
        bisectsBatchOnFunctionError: mapping.BisectBatchOnFunctionError ?? false,
        reportsBatchItemFailures: mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
        onFailureBucket: onFailureBucketOf(mapping.DestinationConfig?.OnFailure?.Destination, context, logicalId),
      }
    })
}

/** Queues and topics would get positions only, and no record. */
function onFailureBucketOf(arn: string | undefined, context: PlanningContext, logicalId: string): string | undefined {
  if (arn === undefined) return undefined
  const bucket = context.resources.find(
    resource => resource.type === 'AWS::S3::Bucket' && context.arnOf(resource.logicalId) === arn,
  )
  if (bucket !== undefined) return bucket.name
  throw new TemplateError(`${arn} is not a bucket of the template, and only a bucket gets the records themselves`, {
    logicalId,
  })
}

function startingPositionOf(mapping: z.infer<typeof mappingSchema>, logicalId: string): StartingPosition {
  if (mapping.StartingPosition !== 'AT_TIMESTAMP') return { type: mapping.StartingPosition }
  if (mapping.StartingPositionTimestamp === undefined) {
    throw new TemplateError('AT_TIMESTAMP needs StartingPositionTimestamp', { logicalId })
  }
  return { type: 'AT_TIMESTAMP', atMs: mapping.StartingPositionTimestamp * SECOND_MS }
}

function streamOf(arn: string, context: PlanningContext, logicalId: string): WantedResource {
  const stream = context.resources.find(
    resource => resource.type === 'AWS::Kinesis::Stream' && context.arnOf(resource.logicalId) === arn,
  )
  if (stream === undefined) throw new TemplateError(`${arn} is not a Kinesis stream of the template`, { logicalId })
  return stream
}

/** By name, by ARN, or by an address that contains the ARN, as API Gateway has it. */
export function functionOf(reference: string, functions: readonly FunctionPlan[], logicalId: string): FunctionPlan {
  const found = functions.find(
    ({ functionName, functionArn }) =>
      reference === functionName ||
      reference === functionArn ||
      reference.endsWith(`/functions/${functionArn}/invocations`),
  )
  if (found === undefined) throw new TemplateError(`${reference} is not a function of the template`, { logicalId })
  return found
}
