// Entity tags: one tag for one state of one representation, another for every other; If-None-Match by weak comparison.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EntityTagParts, entityTag, matchesIfNoneMatch } from '../../src/serve/etag.ts'

const parts: fc.Arbitrary<EntityTagParts> = fc.record({
  view: fc.constantFrom('features', 'predictions', 'user'),
  v: fc.integer({ min: 1, max: 5 }),
  asOf: fc.integer({ min: 0, max: 5 }),
  models: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), { maxKeys: 3 }),
  coding: fc.constantFrom('deflate', 'gzip', 'identity'),
  content: fc.constantFrom('stored', 'abc', 'def'),
})

function isEqual(a: EntityTagParts, b: EntityTagParts): boolean {
  const models = (of: EntityTagParts) =>
    Object.entries(of.models)
      .map(pair => pair.join('='))
      .sort()
      .join(';')
  return (
    a.view === b.view &&
    a.v === b.v &&
    a.asOf === b.asOf &&
    models(a) === models(b) &&
    a.coding === b.coding &&
    a.content === b.content
  )
}

describe('entityTag', () => {
  it('is strong and well-formed, and changes exactly when a part changes', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(entityTag(a)).toMatch(/^"[A-Za-z0-9_-]{16}"$/)
        expect(entityTag(a) === entityTag(b)).toBe(isEqual(a, b))
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['view', { view: 'user' }],
    ['v', { v: 2 }],
    ['asOf', { asOf: 8 }],
    ['models', { models: { late: '20260101000000-aaaaaaab' } }],
    ['coding', { coding: 'gzip' }],
    ['content', { content: 'hash of a body' }],
  ] as const)('differs where only %s differs', (_name, change) => {
    const one = {
      view: 'features',
      v: 1,
      asOf: 7,
      models: { late: '20260101000000-aaaaaaaa' },
      coding: 'deflate',
      content: 'stored',
    } as const
    expect(entityTag({ ...one, ...change })).not.toBe(entityTag(one))
    expect(entityTag({ ...one })).toBe(entityTag(one))
  })
})

it('does not look at the order in which models are named', () => {
  const one = { view: 'user', v: 1, asOf: 7, coding: 'gzip', content: 'stored' } as const
  expect(entityTag({ ...one, models: { a: '1', b: '2' } })).toBe(entityTag({ ...one, models: { b: '2', a: '1' } }))
})

describe('matchesIfNoneMatch', () => {
  it.each([
    [undefined, false],
    ['', false],
    ['*', true],
    [' * ', true],
    ['"a"', true],
    ['W/"a"', true],
    ['"b"', false],
    ['"b", "a"', true],
    ['"b","c", W/"a"', true],
    ['"x,y", "a"', true],
    [', , "a"', true],
    ['"b" "a"', true],
    ['a', false],
    ['w/"a"', false],
    ['"b", oops, "a"', false],
    ['"unclosed, "a"', false],
    ['"*"', false],
  ])('%j names "a": %j', (header, isNamed) => {
    expect(matchesIfNoneMatch(header, '"a"')).toBe(isNamed)
  })

  it('finds the tag wherever it stands in a list', () => {
    const other = fc.stringMatching(/^[b-z,]{0,5}$/).map(text => `"${text}"`)
    fc.assert(
      fc.property(fc.array(other), fc.array(other), fc.boolean(), (before, after, isWeak) => {
        const named = [...before, isWeak ? 'W/"a"' : '"a"', ...after].join(', ')
        expect(matchesIfNoneMatch(named, '"a"')).toBe(true)
        expect(matchesIfNoneMatch([...before, ...after].join(', '), '"a"')).toBe(false)
      }),
    )
  })
})
