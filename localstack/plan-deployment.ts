// From template to plan. Every resource is planned, is on the list of what a laptop does not need, or is an error that names
// it: nothing is dropped in silence.
import type { CloudFormationTemplate, TemplateResource } from './cloudformation-template.ts'
import type { DeploymentPlan } from './deployment-plan.ts'
import { TemplateError } from './errors.ts'
import { functionsOf, mappingsOf } from './plan-functions.ts'
import { routesOf, schedulesOf } from './plan-triggers.ts'
import { bucketsOf, streamsOf, tablesOf } from './plan-storage.ts'
import { type Deployment, identityContext, isWanted } from './resource-identity.ts'
import { type IntrinsicContext, resolveIntrinsics } from './resolve-intrinsics.ts'

/** A resource that is to be there, its properties resolved. */
export interface WantedResource {
  readonly logicalId: string
  readonly type: string
  readonly name: string
  readonly properties: Readonly<Record<string, unknown>>
}

/** What the planners of all types share. */
export interface PlanningContext {
  readonly resources: readonly WantedResource[]
  readonly arnOf: (logicalId: string) => string
  readonly note: (sentence: string) => void
}

const PLANNED_TYPES: ReadonlySet<string> = new Set([
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::Stage',
  'AWS::DynamoDB::Table',
  'AWS::Events::Rule',
  'AWS::Kinesis::Stream',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::S3::Bucket',
  'AWS::Scheduler::Schedule',
])

/** They say who may, who watches and what is kept for how long; none carries data or moves it. */
const IGNORED_TYPES: ReadonlySet<string> = new Set([
  'AWS::ApiGatewayV2::Authorizer',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::KMS::Alias',
  'AWS::KMS::Key',
  'AWS::Lambda::Permission',
  'AWS::Lambda::Version',
  'AWS::Logs::LogGroup',
  'AWS::Logs::MetricFilter',
  'AWS::S3::BucketPolicy',
  'AWS::Scheduler::ScheduleGroup',
])

export function planDeployment(template: CloudFormationTemplate, deployment: Deployment): DeploymentPlan {
  const intrinsics = identityContext(template, deployment)
  const notes: string[] = []
  const context: PlanningContext = {
    resources: wantedResources(template, intrinsics),
    arnOf: logicalId => String(intrinsics.attributeOf(logicalId, 'Arn')),
    note: sentence => notes.push(sentence),
  }
  const functions = functionsOf(context)
  return {
    streams: streamsOf(context),
    tables: tablesOf(context),
    buckets: bucketsOf(context),
    functions,
    mappings: mappingsOf(context, functions),
    routes: routesOf(context, functions),
    schedules: schedulesOf(context, functions),
    outputs: outputsOf(template, intrinsics, deployment),
    notes: [...notes, ...alarmNotes(template, intrinsics)],
  }
}

function wantedResources(template: CloudFormationTemplate, context: IntrinsicContext): WantedResource[] {
  const wanted: WantedResource[] = []
  const unknown: string[] = []
  const deploymentBucket = deploymentBucketOf(template)
  for (const [logicalId, resource] of Object.entries(template.Resources)) {
    if (!isWanted(resource, context) || IGNORED_TYPES.has(resource.Type) || logicalId === deploymentBucket) continue
    if (!PLANNED_TYPES.has(resource.Type)) {
      unknown.push(`${logicalId} (${resource.Type})`)
      continue
    }
    const properties = resolveIntrinsics(resource.Properties ?? {}, context) as Record<string, unknown>
    wanted.push({ logicalId, type: resource.Type, name: String(context.refOf(logicalId)), properties })
  }
  if (unknown.length > 0) {
    throw new TemplateError(`the local cloud does not know how to create ${unknown.join(', ')}`, {
      next: 'Leave these resources out with a Condition for local use, or deploy to AWS or LocalStack instead.',
    })
  }
  return wanted
}

function alarmNotes(template: CloudFormationTemplate, context: IntrinsicContext): string[] {
  const isAlarm = ({ Type }: TemplateResource): boolean => /^AWS::CloudWatch::(Composite)?Alarm$/.test(Type)
  const alarms = Object.values(template.Resources).filter(each => isAlarm(each) && isWanted(each, context))
  if (alarms.length === 0) return []
  return [`${alarms.length} alarms watch nothing here; millrace status looks at the same conditions.`]
}

/** The bucket that osls uploads code to: the one that functions take their code from. Here code comes from a folder. */
function deploymentBucketOf(template: CloudFormationTemplate): string | undefined {
  for (const { Type, Properties } of Object.values(template.Resources)) {
    const bucket =
      Type === 'AWS::Lambda::Function' ? (Properties?.['Code'] as CodeLocation | undefined)?.S3Bucket?.Ref : undefined
    if (typeof bucket === 'string') return bucket
  }
  return undefined
}

interface CodeLocation {
  readonly S3Bucket?: { readonly Ref?: unknown }
}

function outputsOf(
  template: CloudFormationTemplate,
  context: IntrinsicContext,
  deployment: Deployment,
): Record<string, string> {
  const outputs: Record<string, string> = {}
  for (const [name, output] of Object.entries(template.Outputs ?? {})) {
    if (!isWanted(output, context)) continue
    outputs[name] = withLocalApi(String(resolveIntrinsics(output.Value, context)), deployment)
  }
  return outputs
}

/** osls writes an API's address by AWS's rule for host names, which leads nowhere here. */
function withLocalApi(value: string, deployment: Deployment): string {
  return value.replace(/^https:\/\/[^./]+\.execute-api\.[^/]+/, deployment.endpoint)
}
