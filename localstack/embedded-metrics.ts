// Metrics that a function prints in CloudWatch's embedded metric format, found among the lines of its output. As CloudWatch does it, a
// line that is not of the format is a line of the log and nothing else.
import type { MetricName } from './metrics.ts'

export interface EmbeddedValue {
  readonly metric: MetricName
  readonly value: number
  readonly atMs: number
}

/** CloudWatch takes no more dimensions of one metric ("Specification: Embedded metric format"). */
const DIMENSIONS_MAX = 30

export function embeddedMetrics(line: string): EmbeddedValue[] {
  if (!line.startsWith('{') || !line.includes('"_aws"')) return []
  const root = parsed(line)
  const meta = isObject(root) ? root['_aws'] : undefined
  if (!isObject(root) || !isObject(meta)) return []
  const atMs = meta['Timestamp']
  if (typeof atMs !== 'number' || !Number.isFinite(atMs)) return []
  return listOf(meta['CloudWatchMetrics']).flatMap(directive => valuesOf(directive, root, atMs))
}

type JsonObject = Readonly<Record<string, unknown>>

function valuesOf(directive: unknown, root: JsonObject, atMs: number): EmbeddedValue[] {
  if (!isObject(directive) || typeof directive['Namespace'] !== 'string') return []
  const namespace = directive['Namespace']
  const sets = listOf(directive['Dimensions'])
    .map(names => dimensionsOf(names, root))
    .filter(dimensions => dimensions !== undefined)
  return listOf(directive['Metrics']).flatMap(definition => {
    const name = isObject(definition) ? definition['Name'] : undefined
    if (typeof name !== 'string' || !Object.hasOwn(root, name)) return []
    const values = [root[name]].flat().filter(value => typeof value === 'number' && Number.isFinite(value))
    return sets.flatMap(dimensions =>
      values.map(value => ({ metric: { namespace, name, dimensions }, value: Number(value), atMs })),
    )
  })
}

/** Undefined where a dimension has no value in the line: such a set is left out. */
function dimensionsOf(names: unknown, root: JsonObject): Record<string, string> | undefined {
  const wanted = listOf(names)
  if (wanted.length > DIMENSIONS_MAX) return undefined
  const dimensions: [string, string][] = []
  for (const name of wanted) {
    const value = typeof name === 'string' && Object.hasOwn(root, name) ? root[name] : undefined
    if (typeof name !== 'string' || typeof value !== 'string') return undefined
    dimensions.push([name, value])
  }
  return Object.fromEntries(dimensions)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
