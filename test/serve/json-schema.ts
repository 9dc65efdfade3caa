// The part of JSON Schema that docs/openapi.json uses. A keyword it does not know is an error, so that none is passed over.

export type Schema = Readonly<Record<string, unknown>>

/** What is wrong, with the place; an empty list where the value is valid. `resolve` follows a `$ref`. */
export function schemaProblems(value: unknown, schema: Schema, resolve: (ref: string) => unknown, at = '$'): string[] {
  const below = (inner: unknown, innerSchema: unknown, place: string) =>
    schemaProblems(inner, innerSchema as Schema, resolve, place)
  return Object.entries(schema).flatMap(([keyword, rule]): string[] => {
    const check = CHECKS[keyword]
    if (check === undefined) throw new Error(`${at}: the checker does not know "${keyword}"`)
    return check({ value, rule, schema, at, below, resolve })
  })
}

interface Check {
  readonly value: unknown
  readonly rule: unknown
  readonly schema: Schema
  readonly at: string
  readonly below: (value: unknown, schema: unknown, at: string) => string[]
  readonly resolve: (ref: string) => unknown
}

const ANNOTATION = (): string[] => []

const CHECKS: Readonly<Record<string, (check: Check) => string[]>> = {
  description: ANNOTATION,
  $ref: ({ value, rule, at, below, resolve }) => below(value, resolve(rule as string), at),
  type: ({ value, rule, at }) => ([rule].flat().includes(typeOf(value, rule)) ? [] : [`${at}: not ${String(rule)}`]),
  enum: ({ value, rule, at }) =>
    (rule as unknown[]).includes(value) ? [] : [`${at}: ${String(value)} is not offered`],
  minimum: ({ value, rule, at }) => (typeof value !== 'number' || value >= Number(rule) ? [] : [`${at}: too small`]),
  minLength: ({ value, rule, at }) =>
    typeof value !== 'string' || value.length >= Number(rule) ? [] : [`${at}: short`],
  maxLength: ({ value, rule, at }) =>
    typeof value !== 'string' || value.length <= Number(rule) ? [] : [`${at}: long`],
  pattern: ({ value, rule, at }) =>
    typeof value !== 'string' || new RegExp(String(rule), 'u').test(value) ? [] : [`${at}: not ${String(rule)}`],
  required: ({ value, rule, at }) =>
    (rule as string[]).filter(name => !Object.hasOwn(value as object, name)).map(name => `${at}: no ${name}`),
  properties: ({ value, rule, at, below }) =>
    Object.entries(rule as Record<string, unknown>).flatMap(([name, inner]) =>
      Object.hasOwn(value as object, name) ? below((value as Schema)[name], inner, `${at}.${name}`) : [],
    ),
  additionalProperties: ({ value, rule, schema, at, below }) =>
    Object.entries(value as object).flatMap(([name, inner]) => {
      if (Object.hasOwn((schema['properties'] ?? {}) as object, name)) return []
      return rule === false ? [`${at}: ${name} is not declared`] : below(inner, rule, `${at}.${name}`)
    }),
  items: ({ value, rule, at, below }) =>
    (value as unknown[]).flatMap((inner, index) => below(inner, rule, `${at}[${index}]`)),
  oneOf: ({ value, rule, at, below }) => {
    const valid = (rule as unknown[]).filter(inner => typeFits(value, inner) && below(value, inner, at).length === 0)
    return valid.length === 1 ? [] : [`${at}: ${valid.length} of the schemas fit`]
  },
}

function typeOf(value: unknown, rule: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' && rule === 'integer' && Number.isInteger(value) ? 'integer' : typeof value
}

/** The other keywords are only asked of values of the right type. */
function typeFits(value: unknown, schema: unknown): boolean {
  const { type } = schema as Schema
  return type === undefined || typeOf(value, type) === type
}
