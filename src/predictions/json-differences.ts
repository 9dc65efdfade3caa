// Where two plain JSON values differ, member by member: `fields.amount.scale`, and not "the contract".
import { canonicalJson, type Json } from '../platform/canonical-json.ts'

export interface Difference {
  /** Empty where the two differ as a whole. */
  readonly path: readonly string[]
  /** Undefined: it is not there. */
  readonly before: Json | undefined
  readonly after: Json | undefined
}

/** In the order of the members of `before`, then those that only `after` has. Lists are compared as a whole. */
export function jsonDifferences(
  before: Json | undefined,
  after: Json | undefined,
  path: readonly string[] = [],
): readonly Difference[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    return names.flatMap(name => jsonDifferences(ownMember(before, name), ownMember(after, name), [...path, name]))
  }
  const isSame =
    before === after || (before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after))
  return isSame ? [] : [{ path, before, after }]
}

type JsonMap = Readonly<Record<string, Json | undefined>>

function isObject(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function ownMember(object: JsonMap, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}
