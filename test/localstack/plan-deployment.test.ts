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
        streamName: 'shop-dev-events',
        streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/shop-dev-events',
        functionName: 'shop-dev-recompute',
        isEnabled: true,
        batchSize: 100,
        batchingWindowMs: 30_000,
        startingPosition: { type: 'TRIM_HORIZON' },
        maximumRetryAttempts: 100,
        reportsBatchItemFailures: true,
      },
    ])
  })

  it("has Lambda's defaults where a mapping says nothing", () => {
    const bare = withProperties(fixtureTemplate(), 'EventsMapping', {
      BatchSize: undefined,
      MaximumBatchingWindowInSeconds: undefined,
      MaximumRetryAttempts: undefined,
      FunctionResponseTypes: undefined,
    })
    expect(plan(bare).mappings).toMatchObject([
      { batchSize: 100, batchingWindowMs: 0, maximumRetryAttempts: -1, reportsBatchItemFailures: false },
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
    expect(plan().notes).toEqual([
      'EventsMapping: a failing batch is retried whole here, not bisected.',
      'Routes answer everybody here; on AWS they ask for AWS_IAM.',
    ])
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
      /EventsMapping.*FilterCriteria/s,
    ],
    [
      'tumbling windows',
      withProperties(fixtureTemplate(), 'EventsMapping', { TumblingWindowInSeconds: 30 }),
      /EventsMapping.*TumblingWindowInSeconds/s,
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
