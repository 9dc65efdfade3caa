// CloudFormation's intrinsic functions over plain JSON. What a Ref or an attribute of a resource is comes in as an argument,
// so that this file knows no resource type; a function that it does not know is an error and never passed through.
import { TemplateError } from './errors.ts'
import type { CloudFormationTemplate } from './cloudformation-template.ts'

export interface IntrinsicContext {
  readonly template: CloudFormationTemplate
  /** Values of parameters and pseudo parameters (`AWS::Region`). */
  readonly parameters: ReadonlyMap<string, unknown>
  /** What Ref gives for a resource of the template. */
  readonly refOf: (logicalId: string) => unknown
  readonly attributeOf: (logicalId: string, attribute: string) => unknown
}

/** Stands for `{ Ref: 'AWS::NoValue' }`; members and elements with it are left out. */
const NO_VALUE = Symbol('AWS::NoValue')

type Intrinsic = (argument: unknown, context: IntrinsicContext) => unknown

const INTRINSICS: ReadonlyMap<string, Intrinsic> = new Map<string, Intrinsic>([
  ['Ref', resolveRef],
  ['Fn::GetAtt', resolveGetAtt],
  ['Fn::Sub', resolveSub],
  ['Fn::Join', resolveJoin],
  ['Fn::Select', resolveSelect],
  ['Fn::Split', resolveSplit],
  ['Fn::FindInMap', resolveFindInMap],
  ['Fn::If', resolveIf],
])

/** The value with every intrinsic function replaced by what it stands for. */
export function resolveIntrinsics(value: unknown, context: IntrinsicContext): unknown {
  const resolved = resolveValue(value, context)
  return resolved === NO_VALUE ? undefined : resolved
}

function resolveValue(value: unknown, context: IntrinsicContext): unknown {
  if (Array.isArray(value)) return value.map(item => resolveValue(item, context)).filter(item => item !== NO_VALUE)
  if (!isObject(value)) return value
  const [name, ...others] = Object.keys(value)
  if (name !== undefined && others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) {
    const intrinsic = INTRINSICS.get(name)
    if (intrinsic === undefined) throw new TemplateError(`the local cloud does not know the function ${name}`)
    return intrinsic(value[name], context)
  }
  const entries = Object.entries(value).map(([key, member]) => [key, resolveValue(member, context)] as const)
  return Object.fromEntries(entries.filter(([, member]) => member !== NO_VALUE))
}

function resolveRef(argument: unknown, context: IntrinsicContext): unknown {
  const name = asString(argument, 'Ref')
  if (name === 'AWS::NoValue') return NO_VALUE
  if (context.parameters.has(name)) return context.parameters.get(name)
  if (Object.hasOwn(context.template.Resources, name)) return context.refOf(name)
  throw new TemplateError(`Ref names ${name}, which is neither a parameter nor a resource of the template`)
}

function resolveGetAtt(argument: unknown, context: IntrinsicContext): unknown {
  const [logicalId, ...attribute] = typeof argument === 'string' ? argument.split('.') : asArray(argument, 'Fn::GetAtt')
  return getAttribute(asString(logicalId, 'Fn::GetAtt'), attribute.join('.'), context)
}

function getAttribute(logicalId: string, attribute: string, context: IntrinsicContext): unknown {
  if (!Object.hasOwn(context.template.Resources, logicalId)) {
    throw new TemplateError(`Fn::GetAtt names ${logicalId}, which is not a resource of the template`)
  }
  return context.attributeOf(logicalId, attribute)
}

function resolveSub(argument: unknown, context: IntrinsicContext): string {
  const [text, variables = {}] = typeof argument === 'string' ? [argument] : asArray(argument, 'Fn::Sub')
  if (!isObject(variables)) throw new TemplateError('the second argument of Fn::Sub is not an object')
  return asString(text, 'Fn::Sub').replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`
    const value = Object.hasOwn(variables, name)
      ? resolveValue(variables[name], context)
      : name.includes('.')
        ? resolveGetAtt(name, context)
        : resolveRef(name, context)
    return asText(value, 'Fn::Sub')
  })
}

function resolveJoin(argument: unknown, context: IntrinsicContext): string {
  const [separator, parts] = asArray(argument, 'Fn::Join')
  const resolved = asArray(resolveValue(parts, context), 'Fn::Join')
  return resolved.map(part => asText(part, 'Fn::Join')).join(asString(separator, 'Fn::Join'))
}

function resolveSelect(argument: unknown, context: IntrinsicContext): unknown {
  const [index, list] = asArray(resolveValue(argument, context), 'Fn::Select')
  const items = asArray(list, 'Fn::Select')
  const position = Number(index)
  if (!(position in items)) throw new TemplateError(`Fn::Select asks for element ${position} of ${items.length}`)
  return items[position]
}

function resolveSplit(argument: unknown, context: IntrinsicContext): string[] {
  const [separator, text] = asArray(resolveValue(argument, context), 'Fn::Split')
  return asString(text, 'Fn::Split').split(asString(separator, 'Fn::Split'))
}

function resolveFindInMap(argument: unknown, context: IntrinsicContext): unknown {
  const [map, top, second] = asArray(resolveValue(argument, context), 'Fn::FindInMap').map(key =>
    asText(key, 'Fn::FindInMap'),
  )
  const found = context.template.Mappings?.[map ?? '']?.[top ?? '']?.[second ?? '']
  if (found === undefined) throw new TemplateError(`Fn::FindInMap finds nothing at ${map}, ${top}, ${second}`)
  return resolveValue(found, context)
}

function resolveIf(argument: unknown, context: IntrinsicContext): unknown {
  const [condition, whenTrue, whenFalse] = asArray(argument, 'Fn::If')
  return resolveValue(isConditionTrue(asString(condition, 'Fn::If'), context) ? whenTrue : whenFalse, context)
}

export function isConditionTrue(name: string, context: IntrinsicContext): boolean {
  const condition = context.template.Conditions?.[name]
  if (condition === undefined) throw new TemplateError(`the template has no condition ${name}`)
  return evaluateCondition(condition, context)
}

function evaluateCondition(condition: unknown, context: IntrinsicContext): boolean {
  if (!isObject(condition)) throw new TemplateError('a condition is not an object')
  const [name, ...others] = Object.keys(condition)
  const argument = name === undefined || others.length > 0 ? undefined : condition[name]
  switch (name) {
    case 'Condition':
      return isConditionTrue(asString(argument, name), context)
    case 'Fn::Equals': {
      const [left, right] = asArray(resolveValue(argument, context), name)
      return asText(left, name) === asText(right, name)
    }
    case 'Fn::Not':
      return !asArray(argument, name).every(part => evaluateCondition(part, context))
    case 'Fn::And':
      return asArray(argument, name).every(part => evaluateCondition(part, context))
    case 'Fn::Or':
      return asArray(argument, name).some(part => evaluateCondition(part, context))
    default:
      throw new TemplateError(`the local cloud does not know the condition function ${name}`)
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asString(value: unknown, where: string): string {
  if (typeof value === 'string') return value
  throw new TemplateError(`${where} was given ${JSON.stringify(value)} where a text must be`)
}

/** CloudFormation turns numbers and booleans into text wherever it joins them. */
function asText(value: unknown, where: string): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return asString(value, where)
}

function asArray(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new TemplateError(`${where} was given ${JSON.stringify(value)} where a list must be`)
}
