// What Ref and Fn::GetAtt give for each resource: names and ARNs as on AWS, with a local account and region. All of it follows
// from the template, so nothing has to be created before anything else can be named.
import { createHash } from 'node:crypto'
import { TemplateError } from './errors.ts'
import type { CloudFormationTemplate, TemplateResource } from './cloudformation-template.ts'
import { type IntrinsicContext, isConditionTrue, resolveIntrinsics } from './resolve-intrinsics.ts'

export const ACCOUNT_ID = '000000000000'
export const REGION = 'us-east-1'

export interface Deployment {
  /** Overrides of the template's parameters. */
  readonly parameters: Readonly<Record<string, string>>
  readonly stackName: string
  /** `http://127.0.0.1:4566` */
  readonly endpoint: string
}

interface Identity {
  /** The property that names the resource, where a template may give one. */
  readonly nameProperty?: string
  readonly attributes: Readonly<Record<string, (name: string, deployment: Deployment) => string>>
}

const IDENTITIES: ReadonlyMap<string, Identity> = new Map<string, Identity>([
  ['AWS::Kinesis::Stream', named('Name', name => regionalArn('kinesis', `stream/${name}`))],
  ['AWS::DynamoDB::Table', named('TableName', name => regionalArn('dynamodb', `table/${name}`))],
  ['AWS::S3::Bucket', named('BucketName', name => `arn:aws:s3:::${name}`)],
  ['AWS::Lambda::Function', named('FunctionName', name => regionalArn('lambda', `function:${name}`))],
  ['AWS::Events::Rule', named('Name', name => regionalArn('events', `rule/${name}`))],
  ['AWS::Scheduler::Schedule', named('Name', name => regionalArn('scheduler', `schedule/default/${name}`))],
  ['AWS::IAM::Role', named('RoleName', name => `arn:aws:iam::${ACCOUNT_ID}:role/${name}`)],
  ['AWS::Logs::LogGroup', named('LogGroupName', name => regionalArn('logs', `log-group:${name}:*`))],
  [
    'AWS::ApiGatewayV2::Api',
    { attributes: { ApiId: name => name, ApiEndpoint: (_name, deployment) => deployment.endpoint } },
  ],
])

/** Types without a name of their own: Ref gives the logical id, and an ARN is made of it. */
const UNNAMED: Identity = { attributes: { Arn: name => `arn:aws:local:${REGION}:${ACCOUNT_ID}:${name}` } }

function named(nameProperty: string, arnOf: (name: string) => string): Identity {
  return { nameProperty, attributes: { Arn: arnOf } }
}

function regionalArn(service: string, resource: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT_ID}:${resource}`
}

export function identityContext(template: CloudFormationTemplate, deployment: Deployment): IntrinsicContext {
  const names = new Map<string, string>()
  const beingNamed = new Set<string>()
  const context: IntrinsicContext = {
    template,
    parameters: parameterValues(template, deployment),
    refOf: nameOf,
    attributeOf: (logicalId, attribute) => {
      const identity = IDENTITIES.get(typeOf(template, logicalId)) ?? UNNAMED
      const valueOf = Object.hasOwn(identity.attributes, attribute) ? identity.attributes[attribute] : undefined
      if (valueOf !== undefined) return valueOf(nameOf(logicalId), deployment)
      throw new TemplateError(`the local cloud knows no attribute ${attribute} of ${typeOf(template, logicalId)}`, {
        logicalId,
      })
    },
  }
  function nameOf(logicalId: string): string {
    const known = names.get(logicalId)
    if (known !== undefined) return known
    if (beingNamed.has(logicalId)) throw new TemplateError('its name depends on itself', { logicalId })
    beingNamed.add(logicalId)
    const name = physicalName(logicalId, context, deployment)
    names.set(logicalId, name)
    return name
  }
  return context
}

function typeOf(template: CloudFormationTemplate, logicalId: string): string {
  return template.Resources[logicalId]?.Type ?? ''
}

/** The name the template gives, or one made of stack and logical id, as CloudFormation does but without its random end. */
function physicalName(logicalId: string, context: IntrinsicContext, deployment: Deployment): string {
  const resource = context.template.Resources[logicalId]
  if (resource?.Type === 'AWS::Lambda::EventSourceMapping') return stableUuid(`${deployment.stackName}/${logicalId}`)
  const nameProperty = IDENTITIES.get(resource?.Type ?? '')?.nameProperty
  if (resource === undefined || nameProperty === undefined) return logicalId
  const given = resolveIntrinsics(resource.Properties?.[nameProperty], context)
  if (given !== undefined && typeof given !== 'string')
    throw new TemplateError(`${nameProperty} is not a text`, { logicalId })
  if (given !== undefined) return given
  const made = `${deployment.stackName}-${logicalId}`
  return resource.Type === 'AWS::S3::Bucket' ? made.toLowerCase() : made
}

/** The same at every start, unlike on AWS: what a command remembers of a mapping holds. */
function stableUuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return hex.slice(0, 32).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-5$3-8$4-$5')
}

function parameterValues(template: CloudFormationTemplate, deployment: Deployment): Map<string, unknown> {
  const values = new Map<string, unknown>([
    ['AWS::AccountId', ACCOUNT_ID],
    ['AWS::Region', REGION],
    ['AWS::Partition', 'aws'],
    ['AWS::URLSuffix', 'amazonaws.com'],
    ['AWS::StackName', deployment.stackName],
    ['AWS::StackId', regionalArn('cloudformation', `stack/${deployment.stackName}/local`)],
  ])
  for (const [name, { Type, Default }] of Object.entries(template.Parameters ?? {})) {
    const value = deployment.parameters[name] ?? Default
    if (value === undefined) {
      throw new TemplateError(`the parameter ${name} has no default and was not given`, { logicalId: name })
    }
    if (Type.startsWith('AWS::'))
      throw new TemplateError(`parameters of type ${Type} are not supported`, { logicalId: name })
    values.set(
      name,
      Type === 'CommaDelimitedList'
        ? String(value)
            .split(',')
            .map(item => item.trim())
        : value,
    )
  }
  for (const name of Object.keys(deployment.parameters)) {
    if (!values.has(name)) throw new TemplateError(`the template has no parameter ${name}`, { logicalId: name })
  }
  return values
}

export function isWanted(resource: Pick<TemplateResource, 'Condition'>, context: IntrinsicContext): boolean {
  return resource.Condition === undefined || isConditionTrue(resource.Condition, context)
}
