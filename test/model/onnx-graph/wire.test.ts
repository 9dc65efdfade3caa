import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bodiesOf,
  bodyOf,
  concat,
  editFields,
  fieldsOf,
  messageField,
  textField,
  textsOf,
  varintField,
  varintsOf,
} from '../../../src/model/onnx-graph/wire.ts'
import { EXPORTS, exportBytes } from '../exports/exports.ts'

const fieldNumber = fc.integer({ min: 1, max: 5_000 })

test('what is written is read', () => {
  fc.assert(
    fc.property(
      fieldNumber,
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.string(),
      (number, value, text) => {
        const bytes = concat([varintField(number, value), textField(number + 1, text)])
        expect(varintsOf(bytes, number)).toEqual([value])
        expect(textsOf(bytes, number + 1)).toEqual([text])
      },
    ),
  )
})

test('numbers are read packed as they are one by one', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), values => {
      const single = concat(values.map(value => varintField(8, value)))
      // The key of field 8 is one byte.
      const packed = messageField(8, ...values.map(value => varintField(8, value).subarray(1)))
      expect(varintsOf(packed, 8)).toEqual(varintsOf(single, 8))
      expect(varintsOf(single, 8)).toEqual(values)
    }),
  )
})

test('fields that nobody replaces are the bytes that they were, of every wire type', () => {
  const fixed64 = Uint8Array.from([((900 << 3) & 127) | 128 | 1, 56, 1, 2, 3, 4, 5, 6, 7, 8])
  const fixed32 = Uint8Array.from([(3 << 3) | 5, 9, 9, 9, 9])
  // A varint that is longer than it need be.
  const long = Uint8Array.from([(4 << 3) | 0, 0x81, 0x80, 0x00])
  const bytes = concat([fixed64, fixed32, long, textField(7, 'old'), varintField(900, 5)])
  expect(editFields(bytes, () => 'keep')).toEqual(bytes)
  const edited = editFields(bytes, ({ number }) => (number === 7 ? textField(7, 'another') : 'keep'))
  expect(edited).toEqual(concat([fixed64, fixed32, long, textField(7, 'another'), varintField(900, 5)]))
  expect(editFields(bytes, ({ number }) => (number === 7 ? 'drop' : 'keep'))).toEqual(
    concat([fixed64, fixed32, long, varintField(900, 5)]),
  )
})

test.each(EXPORTS)('%s with nothing replaced is what it was, two messages deep', name => {
  const model = exportBytes(name)
  const same = editFields(model, field =>
    field.number === 7 && field.body !== undefined
      ? messageField(
          7,
          editFields(field.body, () => 'keep'),
        )
      : 'keep',
  )
  expect(Buffer.from(same).equals(model)).toBe(true)
})

test('the last one counts of what should stand once', () => {
  const bytes = concat([textField(1, 'a'), textField(1, 'b')])
  expect(bodiesOf(bytes, 1)).toHaveLength(2)
  expect(bodyOf(bytes, 1)).toEqual(new TextEncoder().encode('b'))
})

test.each([[[0x08]], [[0x0a, 5, 1]], [[0x0b]], [Array.from({ length: 12 }, () => 0xff)]])(
  'refuses %j, which is not whole',
  bytes => {
    expect(() => [...fieldsOf(Uint8Array.from(bytes))]).toThrow(expect.objectContaining({ code: 'model-refused' }))
  },
)
