import { describe, expect, it } from 'vitest'
import { parseTemplate } from '../../localstack/cloudformation-template.ts'
import type { DeploymentPlan } from '../../localstack/deployment-plan.ts'
import { planDeployment } from '../../localstack/plan-deployment.ts'
import { fixtureTemplate, type TemplateJson, withProperties } from './fixture-template.ts'

function plan(template: TemplateJson = fixtureTemplate(), parameters: Record<string, string> = {}): DeploymentPlan {
  const parsed = parseTemplate(JSON.stringify(template), 'template.json')
  return planDeployment(parsed, { parameters, stackName: 'shop-dev', endpoint: 'http://127.0.0.1:4566' })
}

function withResource(logicalId: string, resource: object): TemplateJson {
  const template = fixtureTemplate()
  return { ...template, Resources: { ...template.Resources, [logicalId]: resource } }
}

describe('planDeployment', () => {
  it('names streams, tables and buckets as the template does, or by stack and logical id', () => {
    const { streams, tables, buckets } = plan()
    expect(streams).toEqual([{ logicalId: 'EventsStream', streamName: 'shop-dev-events', shardCount: 2 }])
    expect(tables).toMatchObject([{ tableName: 'shop-dev-UsersTable', key: { hash: 'userId' }, globalIndexes: [] }])
    expect(buckets).toEqual([{ logicalId: 'ArchiveBucket', bucketName: 'shop-archive-000000000000' }])
  })

  it('gives functions their code by its base name, limits, role and resolved environment', () => {
    expect(plan().functions).toEqual([
      {
        logicalId: 'RecomputeLambdaFunction',
        functionName: 'shop-dev-recompute',
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:shop-dev-recompute',
        roleArn: 'arn:aws:iam::000000000000:role/shop-role',
        key: 'recompute',
        handler: 'functions/recompute.handler',
        timeoutMs: 10_000,
        memoryMb: 256,
        environment: { TABLE: 'shop-dev-UsersTable', BUCKET: 'shop-archive-000000000000', EPOCH: '1' },
        architecture: 'x86_64',
      },
      expect.objectContaining({ key: 'serve', timeoutMs: 2000, memoryMb: 128 }),
    ])
  })

  it('wires a mapping to its stream and function', () => {
    expect(plan().mappings).toEqual([
      {
        logicalId: 'EventsMapping',
        uuid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
        streamName: 'shop-dev-events',
        streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/shop-dev-events',
        functionName: 'shop-dev-recompute',
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:shop-dev-recompute',
        isEnabled: true,
        batchSize: 100,
        batchingWindowMs: 30_000,
        startingPosition: { type: 'TRIM_HORIZON' },
        maximumRetryAttempts: 100,
        maximumRecordAgeMs: -1,
        parallelizationFactor: 1,
        bisectsBatchOnFunctionError: true,
        reportsBatchItemFailures: true,
        onFailureBucket: 'shop-archive-000000000000',
      },
    ])
  })

  it('gives a mapping the same id at every start, another one in another stack, and to whatever refers to it', () => {
    const template = fixtureTemplate()
    const outputs = { Outputs: { MappingId: { Value: { Ref: 'EventsMapping' } } } }
    const { mappings, outputs: named } = plan({ ...template, ...outputs })
    expect(named['MappingId']).toBe(mappings[0]?.uuid)
    expect(plan().mappings[0]?.uuid).toBe(mappings[0]?.uuid)
    const parsed = parseTemplate(JSON.stringify(template), 'template.json')
    const other = planDeployment(parsed, { parameters: {}, stackName: 'other', endpoint: 'http://127.0.0.1:4566' })
    expect(other.mappings[0]?.uuid).not.toBe(mappings[0]?.uuid)
  })

  it('reads how batches are run, split and given up, numbers as texts too', () => {
    const changed = withProperties(fixtureTemplate(), 'EventsMapping', {
      Enabled: false,
      ParallelizationFactor: '10',
      BisectBatchOnFunctionError: 'false',
      MaximumRecordAgeInSeconds: '3600',
      TumblingWindowInSeconds: 0,
    })
    expect(plan(changed).mappings).toMatchObject([
      {
        isEnabled: false,
        parallelizationFactor: 10,
        bisectsBatchOnFunctionError: false,
        maximumRecordAgeMs: 3_600_000,
      },
    ])
  })

  it("has Lambda's defaults where a mapping says nothing", () => {
    const bare = withProperties(fixtureTemplate(), 'EventsMapping', {
      BatchSize: undefined,
      MaximumBatchingWindowInSeconds: undefined,
      MaximumRetryAttempts: undefined,
      FunctionResponseTypes: undefined,
      BisectBatchOnFunctionError: undefined,
      DestinationConfig: undefined,
    })
    expect(plan(bare).mappings).toMatchObject([
      {
        batchSize: 100,
        batchingWindowMs: 0,
        maximumRetryAttempts: -1,
        maximumRecordAgeMs: -1,
        parallelizationFactor: 1,
        bisectsBatchOnFunctionError: false,
        reportsBatchItemFailures: false,
        onFailureBucket: undefined,
      },
    ])
  })

  it('wires routes and schedules to functions and leads outputs of the API to the endpoint', () => {
    const { routes, schedules, outputs } = plan()
    expect(routes.map(({ routeKey, functionName }) => `${routeKey} ${functionName}`)).toEqual([
      'GET /users/{userId}/features shop-dev-serve',
      'POST /events shop-dev-serve',
    ])
    expect(schedules).toMatchObject([
      { logicalId: 'NightlyRule', functionName: 'shop-dev-serve', source: 'aws.events' },
    ])
    expect(outputs).toEqual({ UsersTableName: 'shop-dev-UsersTable', HttpApiUrl: 'http://127.0.0.1:4566' })
  })

  it('takes parameters from the caller before the defaults and refuses ones that the template has not', () => {
    expect(plan(fixtureTemplate(), { StreamEpoch: '2' }).functions[0]?.environment['EPOCH']).toBe('2')
    expect(() => plan(fixtureTemplate(), { Nowhere: '2' })).toThrow(/no parameter Nowhere/)
  })

  it('says what is different from AWS', () => {
    expect(plan().notes).toEqual(['Routes answer everybody here; on AWS they ask for AWS_IAM.'])
  })

  it('leaves out what a condition excludes', () => {
    const template = { ...withResource('Other', { Type: 'AWS::SQS::Queue', Condition: 'Never' }) }
    expect(plan({ ...template, Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } } }).buckets).toHaveLength(1)
  })

  it.each([
    ['a type that it does not know', withResource('Queue', { Type: 'AWS::SQS::Queue' }), /Queue \(AWS::SQS::Queue\)/],
    [
      'a filter, which would drop records',
      withProperties(fixtureTemplate(), 'EventsMapping', { FilterCriteria: {} }),
      /EventsMapping.*FilterCriteria is not supported.*filter in the function/s,
    ],
    [
      'tumbling windows',
      withProperties(fixtureTemplate(), 'EventsMapping', { TumblingWindowInSeconds: 30 }),
      /EventsMapping.*TumblingWindowInSeconds is not supported/s,
    ],
    [
      'a property of a mapping that it does not know',
      withProperties(fixtureTemplate(), 'EventsMapping', { Topics: ['events'] }),
      /EventsMapping.*Topics/s,
    ],
    [
      'more batches at once than Lambda has',
      withProperties(fixtureTemplate(), 'EventsMapping', { ParallelizationFactor: 11 }),
      /between 1 and 10.*ParallelizationFactor/s,
    ],
    [
      'an age that Lambda does not take',
      withProperties(fixtureTemplate(), 'EventsMapping', { MaximumRecordAgeInSeconds: 30 }),
      /60 to 604800/,
    ],
    [
      'a failure destination that keeps no records',
      withProperties(fixtureTemplate(), 'EventsMapping', {
        DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:000000000000:failed' } },
      }),
      /sqs.* is not a bucket of the template/,
    ],
    [
      'a mapping of another stream',
      withProperties(fixtureTemplate(), 'EventsMapping', { EventSourceArn: 'arn:aws:kinesis:x' }),
      /arn:aws:kinesis:x is not a Kinesis stream/,
    ],
    [
      'a function that is not in the template',
      withProperties(fixtureTemplate(), 'EventsMapping', { FunctionName: 'other' }),
      /other is not a function/,
    ],
    [
      'another runtime',
      withProperties(fixtureTemplate(), 'ServeLambdaFunction', { Runtime: 'python3.13' }),
      /only Node.js/,
    ],
    [
      'layers',
      withProperties(fixtureTemplate(), 'ServeLambdaFunction', { Layers: ['arn'] }),
      /layers are not supported/,
    ],
    [
      'a stage other than $default',
      withProperties(fixtureTemplate(), 'HttpApiStage', { StageName: 'v1' }),
      /\$default/,
    ],
    [
      'a rule without a schedule',
      withProperties(fixtureTemplate(), 'NightlyRule', { ScheduleExpression: undefined }),
      /ScheduleExpression/,
    ],
  ])('refuses %s and names it', (_name, template, message) => {
    expect(() => plan(template)).toThrow(message)
    expect(() => plan(template)).toThrow(expect.objectContaining({ code: 'template-unsupported' }))
  })

  it('finds a name that depends on itself', () => {
    const template = withProperties(fixtureTemplate(), 'EventsStream', { Name: { Ref: 'EventsStream' } })
    expect(() => plan(template)).toThrow(/depends on itself/)
  })
})
