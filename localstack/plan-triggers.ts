// HTTP routes and schedules of a template: what invokes functions besides streams.
import * as z from 'zod/mini'
import type { FunctionPlan, RoutePlan, SchedulePlan } from './deployment-plan.ts'
import { TemplateError } from './errors.ts'
import type { PlanningContext, WantedResource } from './plan-deployment.ts'
import { functionOf } from './plan-functions.ts'
import { numeric, readProperties } from './read-properties.ts'

/** API Gateway's own limit for an HTTP API's integration, and its default. */
const INTEGRATION_TIMEOUT_MS = 30_000

const apiSchema = z.looseObject({ ProtocolType: z.literal('HTTP') })
const stageSchema = z.looseObject({
  StageName: z.literal('$default', 'only the stage $default is served: another one would be a prefix of every path'),
})
const integrationSchema = z.looseObject({
  IntegrationType: z.literal('AWS_PROXY'),
  IntegrationUri: z.string(),
  PayloadFormatVersion: z.literal('2.0'),
  TimeoutInMillis: z.optional(numeric),
})
const routeSchema = z.looseObject({
  ApiId: z.string(),
  RouteKey: z.string(),
  Target: z.string(),
  AuthorizationType: z.optional(z.string()),
})

export function routesOf(context: PlanningContext, functions: readonly FunctionPlan[]): RoutePlan[] {
  for (const api of ofType(context, 'AWS::ApiGatewayV2::Api')) readProperties(api, apiSchema)
  for (const stage of ofType(context, 'AWS::ApiGatewayV2::Stage')) readProperties(stage, stageSchema)
  const integrations = new Map<string, z.infer<typeof integrationSchema>>(
    ofType(context, 'AWS::ApiGatewayV2::Integration').map(
      resource => [`integrations/${resource.name}`, readProperties(resource, integrationSchema)] as const,
    ),
  )
  const authorizations = new Set<string>()
  const routes = ofType(context, 'AWS::ApiGatewayV2::Route').map(resource => {
    const { logicalId } = resource
    const route = readProperties(resource, routeSchema)
    const integration = integrations.get(route.Target)
    if (integration === undefined)
      throw new TemplateError(`${route.Target} is not an integration of the template`, { logicalId })
    if (route.AuthorizationType !== undefined) authorizations.add(route.AuthorizationType)
    return {
      logicalId,
      routeKey: route.RouteKey,
      apiId: route.ApiId,
      functionName: functionOf(integration.IntegrationUri, functions, logicalId).functionName,
      timeoutMs: integration.TimeoutInMillis ?? INTEGRATION_TIMEOUT_MS,
    }
  })
  authorizations.delete('NONE')
  if (authorizations.size > 0) {
    context.note(`Routes answer everybody here; on AWS they ask for ${[...authorizations].join(' or ')}.`)
  }
  return routes
}

/** Strict: an input path or transformer would change the event that the function gets. */
const ruleSchema = z.looseObject({
  ScheduleExpression: z.string(),
  EventPattern: z.optional(z.undefined()),
  State: z.optional(z.string()),
  Targets: z.array(
    z.strictObject({
      Arn: z.string(),
      Id: z.string(),
      Input: z.optional(z.string()),
      RetryPolicy: z.optional(z.unknown()),
      DeadLetterConfig: z.optional(z.unknown()),
    }),
  ),
})

const scheduleSchema = z.looseObject({
  ScheduleExpression: z.string(),
  ScheduleExpressionTimezone: z.optional(z.literal('UTC', 'only schedules in UTC are supported')),
  State: z.optional(z.string()),
  Target: z.looseObject({ Arn: z.string(), Input: z.optional(z.string()) }),
})

export function schedulesOf(context: PlanningContext, functions: readonly FunctionPlan[]): SchedulePlan[] {
  const ofRules = ofType(context, 'AWS::Events::Rule').flatMap(resource => {
    const rule = readProperties(resource, ruleSchema)
    return rule.Targets.map(target => scheduleOf(resource, rule, target, 'aws.events' as const))
  })
  const ofScheduler = ofType(context, 'AWS::Scheduler::Schedule').map(resource => {
    const schedule = readProperties(resource, scheduleSchema)
    return scheduleOf(resource, schedule, schedule.Target, 'aws.scheduler' as const)
  })
  return [...ofRules, ...ofScheduler]

  function scheduleOf(
    { logicalId }: WantedResource,
    { ScheduleExpression, State }: { readonly ScheduleExpression: string; readonly State?: string | undefined },
    target: { readonly Arn: string; readonly Input?: string | undefined },
    source: SchedulePlan['source'],
  ): SchedulePlan {
    return {
      logicalId,
      arn: context.arnOf(logicalId),
      source,
      expression: ScheduleExpression,
      isEnabled: State !== 'DISABLED',
      functionName: functionOf(target.Arn, functions, logicalId).functionName,
      ...(target.Input === undefined ? {} : { input: target.Input }),
    }
  }
}

function ofType({ resources }: PlanningContext, type: string): WantedResource[] {
  return resources.filter(resource => resource.type === type)
}
