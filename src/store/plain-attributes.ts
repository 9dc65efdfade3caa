// An item attribute by attribute, each as `{ S: … }`, `{ N: … }` or `{ B: … }`: the form that DynamoDB's own tools read and write, made
// without them, so that an item can be kept elsewhere and put back by hand.
import type { StoredItem } from './user-item.ts'

/** Attributes that this code knows; all others are `other`. */
export const LAYOUT: ReadonlySet<string> = new Set([
  'userId',
  'v',
  'at',
  'asOf',
  'fresh',
  'definitions',
  'models',
  'spills',
  'imports',
  'dedup',
  'st',
  'ft',
  'pr',
  'sum',
])

export function plainAttributes(item: StoredItem): Record<string, unknown> {
  const attributes = Object.fromEntries(Object.entries(item.other).filter(([name]) => !LAYOUT.has(name)))
  attributes['userId'] = { S: item.userId }
  attributes['v'] = { N: String(item.v) }
  attributes['at'] = { N: String(item.at) }
  attributes['asOf'] = { N: String(item.asOf) }
  if (item.fresh !== undefined) attributes['fresh'] = { N: String(item.fresh) }
  attributes['definitions'] = { S: item.definitions }
  attributes['models'] = { M: Object.fromEntries(Object.entries(item.models).map(([name, id]) => [name, { S: id }])) }
  if (item.spills !== undefined) attributes['spills'] = { N: String(item.spills) }
  // A set cannot be empty in DynamoDB: no imports, no attribute.
  if (item.imports.length > 0) attributes['imports'] = { SS: [...item.imports] }
  for (const name of ['dedup', 'st', 'ft', 'pr', 'sum'] as const) attributes[name] = { B: item[name] }
  return attributes
}
