import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseStrictJson } from '../../src/event/strict-json.ts'

describe('strict JSON', () => {
  it('finds every duplicate key and no other', () => {
    const key = fc.constantFrom('a', 'b', '\\u0061', 'c:{', '\\"', '1')
    const tree = fc.letrec<{ node: string; object: string }>(tie => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('1', '"x:\\"{"', 'null'),
        tie('object'),
        fc.array(tie('node'), { maxLength: 3 }).map(items => `[${items.join()}]`),
      ),
      object: fc
        .array(fc.tuple(key, tie('node')), { maxLength: 3 })
        .map(members => `{${members.map(([name, value]) => `"${name}":${value}`).join()}}`),
    }))
    fc.assert(
      fc.property(tree.object, json => {
        const parsed = parseStrictJson(Buffer.from(json))
        if (hasDuplicate(json)) expect(parsed).toMatchObject({ reason: 'duplicate-key' })
        else expect(parsed).toMatchObject({ value: JSON.parse(json) })
      }),
      { numRuns: 1000 },
    )
  })

  it('reads what JSON.parse reads of any JSON without forbidden keys', () => {
    const forbidden = /"(__proto__|constructor|prototype)"/
    fc.assert(
      fc.property(fc.json({ maxDepth: 5, stringUnit: 'grapheme' }), json => {
        fc.pre(!forbidden.test(json))
        expect(parseStrictJson(Buffer.from(json))).toMatchObject({ value: JSON.parse(json) })
      }),
    )
  })

  it('refuses nesting of half a million in the time of a look at it', () => {
    const bytes = Buffer.from('['.repeat(500_000) + ']'.repeat(500_000))
    const start = performance.now()
    expect(parseStrictJson(bytes)).toMatchObject({ reason: 'too-deep' })
    expect(performance.now() - start).toBeLessThan(50)
  })
})

/** An independent reading, token by token. */
function hasDuplicate(json: string): boolean {
  const open: (Set<string> | undefined)[] = []
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^"{}[\],:\s]+/g) ?? []
  for (const [index, token] of tokens.entries()) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (tokens[index + 1] === ':') {
      const key = JSON.parse(token) as string
      if (open.at(-1)?.has(key)) return true
      open.at(-1)?.add(key)
    }
  }
  return false
}
