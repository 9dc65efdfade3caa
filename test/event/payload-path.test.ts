import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Container, splitPath, valueAt, withoutValue, withValue } from '../../src/event/payload-path.ts'

const key = fc.constantFrom('a', 'b', 'toString')
const path = fc.array(key, { minLength: 1, maxLength: 3 }).map(keys => splitPath(keys.join('.')))
const payload = fc.letrec<{ node: unknown; object: Container }>(tie => ({
  node: fc.oneof({ maxDepth: 3 }, fc.constantFrom(1, null, 'x', [1]), tie('object')),
  object: fc.dictionary(key, tie('node'), { noNullPrototype: true }),
})).object

describe('a payload', () => {
  it('has the value that it is given, or something that is no object is in the way', () => {
    fc.assert(
      fc.property(payload, path, (container, at) => {
        const changed = withValue(container, at, 'new')
        const parents = at.slice(1).map((_, index) => valueAt(container, splitPath(at.slice(0, index + 1).join('.'))))
        const isInTheWay = parents.some(
          value => (typeof value !== 'object' || Array.isArray(value)) && value !== undefined,
        )
        if (isInTheWay) expect(changed).toBeUndefined()
        else expect(valueAt(changed, at)).toBe('new')
      }),
    )
  })

  it('has no value where it was taken away, and all others', () => {
    fc.assert(
      fc.property(payload, path, path, (container, at, other) => {
        const less = withoutValue(container, at)
        expect(valueAt(less, at)).toBeUndefined()
        const isApart =
          !`${other.join('.')}.`.startsWith(`${at.join('.')}.`) && !at.join('.').startsWith(other.join('.'))
        if (isApart) expect(valueAt(less, other)).toEqual(valueAt(container, other))
      }),
    )
  })

  it('is what it was before, whatever is done', () => {
    fc.assert(
      fc.property(payload, path, (container, at) => {
        const before = JSON.stringify(container)
        withValue(container, at, 1)
        withoutValue(container, at)
        expect(JSON.stringify(container)).toBe(before)
      }),
    )
  })
})
