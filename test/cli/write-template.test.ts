import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageFacts } from '../../src/cli/package-root.ts'
import { packageTemplate } from '../../src/cli/write-template.ts'
import { readEnvironment } from '../../src/compose/environment.ts'
import { resourceNames } from '../../src/compose/resource-names.ts'

interface Resource {
  readonly Type: string
  readonly Condition?: string
  readonly DeletionPolicy?: string
  readonly UpdateReplacePolicy?: string
  readonly Properties: Readonly<Record<string, unknown>>
}
interface Statement {
  readonly Effect: string
  readonly Action: string | readonly string[]
  readonly Resource: unknown
}

const FUNCTIONS = ['archive', 'catalog', 'compact', 'ingest', 'recompute', 'serve', 'snapshot']
const { root } = packageFacts()
let cwd: string
let resources: Readonly<Record<string, Resource>>

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'millrace-template-'))
  for (const name of ['serverless.yml', 'cloud', 'package.json']) {
    cpSync(join(root, name), join(cwd, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(cwd, 'node_modules'))
  mkdirSync(join(cwd, 'build', 'x64'), { recursive: true })
  for (const name of FUNCTIONS) writeFileSync(join(cwd, 'build', 'x64', `${name}.zip`), '')
  const template = await packageTemplate(cwd, { arch: 'x64', stage: 'test', env: process.env })
  expect(template.service).toBe('flights')
  resources = (JSON.parse(template.text) as { readonly Resources: typeof resources }).Resources
})
afterAll(() => rmSync(cwd, { recursive: true }))

const ofType = (type: string): readonly (readonly [string, Resource])[] =>
  Object.entries(resources).filter(([, { Type }]) => Type === type)
const properties = (id: string): Readonly<Record<string, unknown>> => resources[id]?.Properties ?? {}
const account = (name: unknown): unknown =>
  typeof name === 'object' && name !== null && 'Fn::Sub' in name
    ? String(name['Fn::Sub']).replace('${AWS::AccountId}', '123456789012')
    : name

describe('the template of serverless.yml', () => {
  it('has the names by which the command line and the local cloud find resources', () => {
    expect({
      usersTable: properties('UsersTable')['TableName'],
      catalogTable: properties('CatalogTable')['TableName'],
      archiveBucket: account(properties('ArchiveBucket')['BucketName']),
      catalogBucket: account(properties('CatalogBucket')['BucketName']),
      eventsStream: properties('EventsStream')['Name'],
    }).toEqual(resourceNames({ pipeline: 'flights', stage: 'test', accountId: '123456789012' }))
  })

  it('gives every function the environment that the code reads, its zip, and a role of its own', () => {
    const functions = ofType('AWS::Lambda::Function')
    const roles = new Set<string>()
    const zips = functions.map(([, { Properties }]) => {
      const { Variables } = Properties['Environment'] as { readonly Variables: Record<string, string> }
      expect(readEnvironment(Variables)).toMatchObject({ usersTable: { Ref: 'UsersTable' }, streamEpoch: 1 })
      expect(Properties).toMatchObject({ Handler: 'index.handler', Architectures: ['x86_64'], Runtime: 'nodejs24.x' })
      roles.add(JSON.stringify(Properties['Role']))
      return (Properties['Code'] as { readonly S3Key: string }).S3Key.split('/').at(-1)
    })
    expect(new Set(zips)).toEqual(new Set(FUNCTIONS.map(name => `${name}.zip`)))
    expect(roles.size).toBe(FUNCTIONS.length)
  })

  it('has the routes of the OpenAPI file, and asks each for an authorizer', () => {
    const routes = ofType('AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties)
    const openApi = JSON.parse(readFileSync(join(root, 'docs', 'openapi.json'), 'utf8')) as {
      readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    }
    const described = Object.entries(openApi.paths).flatMap(([path, item]) =>
      Object.keys(item)
        .filter(key => ['get', 'head', 'post', 'put'].includes(key))
        .map(method => `${method.toUpperCase()} ${path}`),
    )
    expect(new Set(routes.map(route => route['RouteKey']))).toEqual(new Set(described))
    for (const route of routes) expect(route['AuthorizationType']).toBe('AWS_IAM')
  })

  it('keeps stream, tables and buckets when the stack goes', () => {
    const kept = ['AWS::Kinesis::Stream', 'AWS::DynamoDB::Table', 'AWS::S3::Bucket'].flatMap(ofType)
    const losable = kept.filter(([, one]) => one.DeletionPolicy !== 'Retain' || one.UpdateReplacePolicy !== 'Retain')
    // osls's own bucket holds copies of the zips.
    expect(losable.map(([id]) => id)).toEqual(['ServerlessDeploymentBucket'])
    expect(kept.length).toBe(6)
  })

  it('opens no bucket to the public, versions each, and takes TLS only', () => {
    for (const id of ['ArchiveBucket', 'CatalogBucket']) {
      expect(properties(id)).toMatchObject({
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      })
      expect(properties(`${id}Policy`)).toMatchObject({
        Bucket: { Ref: id },
        PolicyDocument: { Statement: [{ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }] },
      })
    }
  })

  it('acknowledges no partial failure, gives up on no record without keeping it, and archives without a gap', () => {
    const [recompute, archive] = [properties('RecomputeMapping'), properties('ArchiveMapping')]
    expect(recompute).toMatchObject({
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      BisectBatchOnFunctionError: true,
      ParallelizationFactor: 1,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['ArchiveBucket', 'Arn'] } } },
    })
    expect(recompute['MaximumRetryAttempts']).toBeGreaterThan(0)
    expect(archive).toMatchObject({ MaximumRetryAttempts: -1, MaximumRecordAgeInSeconds: -1 })
    expect(archive).not.toHaveProperty('DestinationConfig')
    for (const mapping of [recompute, archive]) expect(mapping['StartingPosition']).toBe('TRIM_HORIZON')
  })

  it('allows each role what its function does, on named resources, and nothing that deletes', () => {
    const allowed = Object.fromEntries(
      ofType('AWS::IAM::Role').map(([id, { Properties }]) => {
        const [policy] = Properties['Policies'] as readonly { PolicyDocument: { Statement: readonly Statement[] } }[]
        const statements = policy?.PolicyDocument.Statement ?? []
        for (const { Resource } of statements) expect(JSON.stringify(Resource)).not.toMatch(/^"?\*/)
        const actions = statements
          .flatMap(({ Effect, Action }) =>
            [Action].flat().map(action => (Effect === 'Deny' ? `Deny:${action}` : action)),
          )
          .filter(action => !/^(logs|kinesis:[DGL])/.test(action))
        return [id, actions.join(' ')]
      }),
    )
    expect(allowed).toEqual({
      RecomputeRole:
        'dynamodb:GetItem dynamodb:BatchGetItem dynamodb:PutItem dynamodb:GetItem dynamodb:Query s3:GetObject s3:PutObject s3:PutObject s3:GetObject s3:ListBucket',
      ArchiveRole: 's3:PutObject',
      CompactRole:
        's3:ListBucket s3:GetObject dynamodb:GetItem dynamodb:Query dynamodb:PutItem s3:GetObject s3:PutObject',
      ServeRole: 'dynamodb:GetItem dynamodb:GetItem dynamodb:Query s3:GetObject s3:GetObject',
      SnapshotRole:
        'dynamodb:Scan dynamodb:DescribeTable lambda:InvokeFunction s3:GetObject s3:PutObject s3:ListBucket dynamodb:GetItem dynamodb:Query dynamodb:PutItem s3:GetObject s3:PutObject s3:GetObject',
      IngestRole: 'kinesis:PutRecords',
      CatalogRole:
        'dynamodb:GetItem dynamodb:Query dynamodb:Scan dynamodb:PutItem s3:GetObject s3:PutObject s3:ListBucket Deny:s3:PutObject Deny:dynamodb:PutItem',
    })
    expect(JSON.stringify(allowed)).not.toMatch(/Delete|\*/)
  })

  it('lets those who commit move the mirror, where there is one, and each list parts of its own tables', () => {
    const policies = ofType('AWS::IAM::Policy').filter(([, { Properties }]) =>
      JSON.stringify(Properties).includes('glue:'),
    )
    const roles = policies.map(([, { Condition, Properties }]) => {
      expect(Condition).toBe('GlueMirror')
      const { Statement } = Properties['PolicyDocument'] as { readonly Statement: readonly Statement[] }
      for (const { Action } of Statement) expect(Action).not.toContain('glue:DeleteTable')
      return Properties['Roles']
    })
    expect(roles).toEqual([[{ Ref: 'SnapshotRole' }], [{ Ref: 'CatalogRole' }]])
    const [snapshot, ofCatalog] = policies.map(([, { Properties }]) => JSON.stringify(Properties['PolicyDocument']))
    // The catalogue's role has the bucket anyway.
    expect(snapshot).toContain('glue.symlinks/flights/users/')
    expect(ofCatalog).not.toContain('s3:')
    expect(ofCatalog).toContain('"glue:BatchUpdatePartition"')
  })

  it('says what is missing where there is no serverless.yml', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'millrace-template-'))
    await expect(packageTemplate(empty, { arch: 'x64', stage: 'test', env: {} })).rejects.toMatchObject({
      code: 'service-missing',
    })
    rmSync(empty, { recursive: true })
  })
})
