import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from '../../src/store/bytes.ts'
import { anyText } from './any-text.ts'

function written(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter()
  write(out)
  return out.finish()
}

function varintOf(...bytes: number[]): number {
  return new ByteReader(Uint8Array.from(bytes), 'x').varint('a number')
}

describe('a varint', () => {
  it('reads as it was written, over all whole numbers to 2^53 - 1', () => {
    const number = fc.oneof(
      fc.maxSafeNat(),
      fc.nat(300),
      fc.nat(53).map(power => 2 ** power - 1),
      fc.nat(52).map(power => 2 ** power),
    )
    fc.assert(
      fc.property(number, value => {
        const reader = new ByteReader(
          written(out => out.varint(value, 'n')),
          'x',
        )
        expect(reader.varint('n')).toBe(value)
        reader.end()
      }),
    )
  })

  it('takes a byte for every 7 bits', () => {
    expect([...written(out => out.varint(0, 'n'))]).toEqual([0])
    expect([...written(out => out.varint(127, 'n'))]).toEqual([127])
    expect([...written(out => out.varint(128, 'n'))]).toEqual([128, 1])
    expect(written(out => out.varint(Number.MAX_SAFE_INTEGER, 'n'))).toHaveLength(8)
  })

  it('is refused when cut off, longer than needed, or over 2^53 - 1', () => {
    expect(() => varintOf()).toThrow('ends before a number')
    expect(() => varintOf(128)).toThrow('ends before a number')
    expect(() => varintOf(128, 0)).toThrow('longer than needed')
    expect(() => varintOf(255, 255, 255, 255, 255, 255, 255, 255, 1)).toThrow('over 2^53 - 1')
    expect(() => varintOf(255, 255, 255, 255, 255, 255, 255, 127)).toThrow('over')
    expect(() => new ByteReader(Uint8Array.of(11), 'x').varint('a number', 10)).toThrow('x: a number is over 10')
  })

  it('is written of whole numbers only', () => {
    for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => written(out => out.varint(value, 'n'))).toThrow(expect.objectContaining({ code: 'item-invalid' }))
    }
  })
})

describe('text', () => {
  it('reads as it was written', () => {
    fc.assert(
      fc.property(anyText(40), value => {
        const bytes = written(out => out.text(value, 10_000, 't'))
        const reader = new ByteReader(bytes, 'x')
        expect(reader.text(10_000, 't')).toBe(value)
        reader.end()
      }),
    )
  })

  it('may be longer than what the writer has set aside', () => {
    const value = 'long'.repeat(2000)
    expect(
      new ByteReader(
        written(out => out.text(value, 10_000, 't')),
        'x',
      ).text(10_000, 't'),
    ).toBe(value)
  })

  it('is refused when it is not UTF-8, too long, or cut off', () => {
    expect(() => new ByteReader(Uint8Array.of(1, 0xff), 'x').text(9, 'a name')).toThrow('x: a name is not UTF-8')
    expect(() => new ByteReader(Uint8Array.of(10, 0x61), 'x').text(9, 'a name')).toThrow(
      'the length of a name is over 9',
    )
    expect(() => new ByteReader(Uint8Array.of(2, 0x61), 'x').text(9, 'a name')).toThrow('ends before a name')
    expect(() => written(out => out.text('\ud800', 9, 'a name'))).toThrow('a name is not text')
    expect(() => written(out => out.text('ä'.repeat(5), 9, 'a name'))).toThrow('a name is not text')
  })
})

describe('the end', () => {
  it('is where nothing is left', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3), 'dedup')
    expect(reader.byte('b')).toBe(1)
    expect(() => reader.end()).toThrow('dedup: 2 bytes too many')
    expect(reader.hex(2, 'h')).toBe('0203')
    reader.end()
  })
})
