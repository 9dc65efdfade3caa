// Dotted paths into upstream's JSON: reading a value, and the same payload with one value more or less. Nothing is changed in
// place, so what was parsed stays what was parsed.

/** Segments of a dotted path. */
export type Path = readonly [string, ...string[]]

export type Container = Readonly<Record<string, unknown>>

const PATH_PATTERN = /^[^.\s]{1,128}(\.[^.\s]{1,128}){0,7}$/
const FORBIDDEN_SEGMENTS = new Set(['__proto__', 'constructor', 'prototype'])

/** Whether a path can be read from upstream's JSON: at most 8 segments, none of which means something to JavaScript. */
export function isDottedPath(path: string): boolean {
  return PATH_PATTERN.test(path) && !hasForbiddenSegment(path)
}

export function hasForbiddenSegment(path: string): boolean {
  return path.split('.').some(segment => FORBIDDEN_SEGMENTS.has(segment))
}

export function splitPath(path: string): Path {
  const [first = path, ...rest] = path.split('.')
  return [first, ...rest]
}

/** The value at the path, undefined where there is none. What an object inherits is functions, which no JSON value is. */
export function valueAt(payload: unknown, path: Path): unknown {
  let value = payload
  for (const segment of path) {
    if (!isContainer(value)) return undefined
    value = value[segment]
  }
  return typeof value === 'function' ? undefined : value
}

export function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** With the value at the path, objects made on the way to it; undefined where something that is no object is in the way. */
export function withValue(container: Container, [key, ...below]: Path, value: unknown): Container | undefined {
  const [next, ...rest] = below
  if (next === undefined) return { ...container, [key]: value }
  const inside = valueAt(container, [key]) ?? {}
  const changed = isContainer(inside) ? withValue(inside, [next, ...rest], value) : undefined
  return changed === undefined ? undefined : { ...container, [key]: changed }
}

/** Without the value at the path, and without the objects that this leaves empty. */
export function withoutValue(container: Container, [key, ...below]: Path): Container {
  const { [key]: inside, ...others } = container
  const [next, ...rest] = below
  if (next === undefined) return others
  if (!isContainer(inside)) return container
  const changed = withoutValue(inside, [next, ...rest])
  return Object.keys(changed).length === 0 ? others : { ...container, [key]: changed }
}
