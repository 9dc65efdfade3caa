// A template as `osls package` writes it, small: a stream, a table, a bucket, two functions, a mapping, routes, a schedule.
export type TemplateJson = { Resources: Record<string, object>; [part: string]: unknown }

const codeIn = (zip: string): object => ({
  S3Bucket: { Ref: 'ServerlessDeploymentBucket' },
  S3Key: `serverless/shop/dev/1795548262176-2026-11-24T19:24:22.176Z/${zip}.zip`,
})

const ENVIRONMENT = {
  Variables: { TABLE: { Ref: 'UsersTable' }, BUCKET: { Ref: 'ArchiveBucket' }, EPOCH: { Ref: 'StreamEpoch' } },
}

function route(routeKey: string): object {
  return {
    Type: 'AWS::ApiGatewayV2::Route',
    Properties: {
      ApiId: { Ref: 'HttpApi' },
      RouteKey: routeKey,
      Target: { 'Fn::Join': ['/', ['integrations', { Ref: 'HttpApiIntegrationServe' }]] },
      AuthorizationType: 'AWS_IAM',
    },
    DependsOn: 'HttpApiIntegrationServe',
  }
}

export function fixtureTemplate(): TemplateJson {
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Parameters: { StreamEpoch: { Type: 'Number', Default: 1 } },
    Resources: {
      ServerlessDeploymentBucket: { Type: 'AWS::S3::Bucket' },
      RecomputeLogGroup: {
        Type: 'AWS::Logs::LogGroup',
        Properties: { LogGroupName: '/aws/lambda/shop-dev-recompute' },
      },
      Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: 'shop-role' } },
      EventsStream: {
        Type: 'AWS::Kinesis::Stream',
        DeletionPolicy: 'Retain',
        Properties: { Name: 'shop-dev-events', ShardCount: 2 },
      },
      UsersTable: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [{ AttributeName: 'userId', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'userId', KeyType: 'HASH' }],
        },
      },
      ArchiveBucket: {
        Type: 'AWS::S3::Bucket',
        Properties: { BucketName: { 'Fn::Sub': 'shop-archive-${AWS::AccountId}' } },
      },
      RecomputeLambdaFunction: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Code: codeIn('recompute'),
          Handler: 'functions/recompute.handler',
          Runtime: 'nodejs24.x',
          FunctionName: 'shop-dev-recompute',
          MemorySize: 256,
          Timeout: 10,
          Environment: ENVIRONMENT,
          Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
        },
      },
      ServeLambdaFunction: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Code: codeIn('serve'),
          Handler: 'index.handler',
          Runtime: 'nodejs24.x',
          FunctionName: 'shop-dev-serve',
          Timeout: 2,
          Environment: ENVIRONMENT,
        },
      },
      EventsMapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          EventSourceArn: { 'Fn::GetAtt': ['EventsStream', 'Arn'] },
          FunctionName: { Ref: 'RecomputeLambdaFunction' },
          StartingPosition: 'TRIM_HORIZON',
          BatchSize: 100,
          MaximumBatchingWindowInSeconds: 30,
          MaximumRetryAttempts: 100,
          BisectBatchOnFunctionError: true,
          FunctionResponseTypes: ['ReportBatchItemFailures'],
          DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['ArchiveBucket', 'Arn'] } } },
        },
      },
      HttpApi: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'dev-shop', ProtocolType: 'HTTP' } },
      HttpApiStage: { Type: 'AWS::ApiGatewayV2::Stage', Properties: { StageName: '$default', AutoDeploy: true } },
      HttpApiIntegrationServe: {
        Type: 'AWS::ApiGatewayV2::Integration',
        Properties: {
          IntegrationType: 'AWS_PROXY',
          IntegrationUri: { 'Fn::GetAtt': ['ServeLambdaFunction', 'Arn'] },
          PayloadFormatVersion: '2.0',
          TimeoutInMillis: 30000,
        },
      },
      RouteFeatures: route('GET /users/{userId}/features'),
      RouteEvents: route('POST /events'),
      NightlyRule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          ScheduleExpression: 'cron(15 2 * * ? *)',
          State: 'ENABLED',
          Targets: [{ Arn: { 'Fn::GetAtt': ['ServeLambdaFunction', 'Arn'] }, Id: 'serve' }],
        },
      },
    },
    Outputs: {
      UsersTableName: { Value: { Ref: 'UsersTable' } },
      HttpApiUrl: { Value: { 'Fn::Sub': 'https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}' } },
    },
  }
}

/** The template with some properties of one resource changed; undefined removes a property. */
export function withProperties(template: TemplateJson, logicalId: string, changes: object): TemplateJson {
  const resource = template.Resources[logicalId] as { Properties?: object }
  return {
    ...template,
    Resources: {
      ...template.Resources,
      [logicalId]: { ...resource, Properties: { ...resource.Properties, ...changes } },
    },
  }
}
