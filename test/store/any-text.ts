// Well-formed text of any code points. fast-check's own `unit: 'binary'` takes seconds to prepare its table.
import fc from 'fast-check'

export function anyText(maxLength: number): fc.Arbitrary<string> {
  const codePoint = fc.oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  return fc.array(codePoint, { maxLength }).map(points => String.fromCodePoint(...points))
}
