// Accept-Encoding against RFC 9110: the cases of the text, and any header against a slow and obvious reading of the grammar.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseCoding, type Coding, parseAcceptEncoding } from '../../src/serve/content-coding.ts'

describe('chooseCoding', () => {
  it.each([
    [undefined, 'identity'],
    ['', 'identity'],
    ['deflate', 'deflate'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip, deflate', 'deflate'],
    ['gzip, deflate, br, zstd', 'deflate'],
    ['br', 'identity'],
    ['*', 'deflate'],
    ['GZIP', 'gzip'],
    ['gzip;q=1.0, deflate;q=0.5', 'gzip'],
    ['gzip;q=0, deflate;q=0', 'identity'],
    ['gzip;q=0.001', 'gzip'],
    ['gzip;q=0.5, identity', 'identity'],
    ['gzip;q=0.5, identity;q=0.5', 'gzip'],
    ['deflate;q=0, *', 'gzip'],
    ['*;q=0, gzip', 'gzip'],
    ['identity;q=0', undefined],
    ['identity;q=0, br', undefined],
    ['*;q=0', undefined],
    ['*;q=0, identity', 'identity'],
    ['identity;q=0, *;q=0.1', 'deflate'],
    [' gzip ; q=0.8 , deflate ; q=0.9 ', 'deflate'],
    ['gzip;q=7, deflate;q=-1, identity;q=0', undefined],
    ['gzip;q=0.1234', 'identity'],
    ['gzip;level=9', 'identity'],
    ['gzip q=1', 'identity'],
    [',,gzip,', 'gzip'],
  ] as const)('answers %j in %j', (header, coding) => {
    expect(chooseCoding(header)).toBe(coding)
  })

  it('agrees with an obvious reading of the grammar on any header', () => {
    const weight = fc.constantFrom(
      '',
      ';q=0',
      ';q=1',
      ';q=0.5',
      ' ; Q=0.25',
      ';q=0.000',
      ';q=1.1',
      ';q=.5',
      ';x=1',
      ';q=1;q=0',
    )
    const name = fc.constantFrom('gzip', 'x-gzip', 'deflate', 'identity', '*', 'br', 'Deflate', 'g zip', '')
    const member = fc.tuple(name, weight).map(parts => parts.join(''))
    const header = fc.array(member, { maxLength: 6 }).map(members => members.join(' ,'))
    fc.assert(
      fc.property(header, value => {
        expect(chooseCoding(value)).toBe(obviousChoice(value))
      }),
      { numRuns: 2000 },
    )
  })

  it('reads a header of 10,000 members in one pass', () => {
    const header = `${'gzip;q=0.5,'.repeat(10_000)}deflate`
    expect(chooseCoding(header)).toBe('deflate')
    expect(parseAcceptEncoding(header).size).toBe(2)
  })
})

/** Every coding is asked on its own, by the sentences of RFC 9110, 12.5.3. */
function obviousChoice(header: string): Coding | undefined {
  const members = header
    .split(',')
    .map(text => /^[ \t]*([a-z0-9*-]+)(?:[ \t]*;[ \t]*q=(0|1|0\.\d{0,3}|1\.0{0,3}))?[ \t]*$/i.exec(text))
    .flatMap(match => (match === null ? [] : [{ name: String(match[1]).toLowerCase(), q: Number(match[2] ?? 1) }]))
  const last = (...names: string[]) => members.findLast(({ name }) => names.includes(name))?.q
  const weights: readonly (readonly [Coding, number])[] = [
    ['deflate', last('deflate') ?? last('*') ?? 0],
    ['gzip', last('gzip', 'x-gzip') ?? last('*') ?? 0],
    ['identity', last('identity') ?? last('*') ?? 1e-9],
  ]
  const best = Math.max(...weights.map(([, q]) => q))
  return best === 0 ? undefined : weights.find(([, q]) => q === best)?.[0]
}
