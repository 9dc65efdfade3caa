// A value of a `json` column as JSON text that reads back as the very same value: JSON.stringify makes null of NaN and drops what is no
// JSON, both without a word, and throws at a bigint. What does not come back exactly is refused.

/** Deeper than any value is that somebody means; a value that contains itself has no end. */
const DEPTH_MAX = 500

/** Undefined: not every number, member and element of it would come back as it is. */
export function exactJsonText(value: unknown): string | undefined {
  const look = lookAt(value, 0)
  if (look === 'refused') return undefined
  return look === 'plain' ? JSON.stringify(value) : oddText(value)
}

/** `odd`: exact, but not by JSON.stringify, which is several times as fast as writing it here. */
type Look = 'plain' | 'odd' | 'refused'

function lookAt(value: unknown, depth: number): Look {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return 'plain'
    case 'number':
      return Number.isFinite(value) ? (Object.is(value, -0) ? 'odd' : 'plain') : 'refused'
    case 'bigint':
      // As digits beyond 2^53 it would be JSON, and another number to whoever reads it here, in JavaScript or in R.
      return Number.isSafeInteger(Number(value)) ? 'odd' : 'refused'
    case 'object':
      return value === null ? 'plain' : lookInside(value, depth)
    default:
      return 'refused'
  }
}

function lookInside(value: object, depth: number): Look {
  if (depth >= DEPTH_MAX) return 'refused'
  let all: Look = 'plain'
  if (Array.isArray(value)) {
    for (const element of value as readonly unknown[]) {
      const look = lookAt(element, depth + 1)
      if (look === 'refused') return look
      if (look === 'odd') all = look
    }
    return all
  }
  if (!isPlainObject(value)) return 'refused'
  // Of a plain object these are its own members, and quicker to come by than a list of them.
  for (const name in value) {
    const member = value[name]
    const look = member === undefined ? 'plain' : lookAt(member, depth + 1)
    if (look === 'refused') return look
    if (look === 'odd') all = look
  }
  return all
}

/** A date, bytes, a map: JSON has none of them. */
function isPlainObject(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Of what was looked at. A zero keeps its sign: of `-0` alone other languages make an integer, which has none. */
function oddText(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (Object.is(value, -0)) return '-0.0'
  if (Array.isArray(value)) return `[${value.map(oddText).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${oddText(member)}`).join(',')}}`
}
