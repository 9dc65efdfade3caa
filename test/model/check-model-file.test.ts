import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkModelFile } from '../../src/model/check-model-file.ts'
import { ModelError } from '../../src/model/errors.ts'
import { onnxFile } from './factories.ts'

const refusedWith = (words: string, code = 'model-refused') =>
  expect.objectContaining({ code, message: expect.stringContaining(words) })

test.each(['wide', 'named', 'log', 'label', 'zipmap', 'text'])('lets %s pass', fixture => {
  checkModelFile(onnxFile(fixture))
})

test('refuses tensors in other files, at the top and in branches of branches', () => {
  expect(() => checkModelFile(onnxFile('external'))).toThrow(refusedWith('lies in another file', 'model-external-data'))
  expect(() => checkModelFile(onnxFile('external-nested'))).toThrow(
    refusedWith('lies in another file', 'model-external-data'),
  )
})

test('says for tensors in other files how each tool writes one file, and for nothing else', () => {
  const nextOf = (fixture: string): string => {
    try {
      checkModelFile(onnxFile(fixture))
    } catch (error) {
      if (error instanceof ModelError) return error.next ?? ''
    }
    return expect.fail('it was let pass')
  }
  for (const words of [
    /onnx\.save_model\(.*, path, save_as_external_data=False\)/,
    /torch\.onnx\.export\(.*external_data=False\)/,
    /mlflow\.onnx\.log_model\(.*save_as_external_data=False\)/,
  ]) {
    expect(nextOf('external-nested')).toMatch(words)
  }
  expect(nextOf('custom')).not.toContain('external_data')
})

test('refuses operators of other libraries', () => {
  expect(() => checkModelFile(onnxFile('custom'))).toThrow(refusedWith('"custom.ops"', 'model-domain'))
})

test('refuses a hundred functions', () => {
  expect(() => checkModelFile(onnxFile('functions'))).toThrow(refusedWith('over 64 functions', 'model-too-deep'))
})

test('refuses graphs nested without end', () => {
  // graph { node { attribute { g: … } } }, from the innermost out.
  let graph: Buffer = Buffer.alloc(0)
  for (let depth = 0; depth < 100; depth++) graph = field(1, field(5, field(6, graph)))
  expect(() => checkModelFile(field(7, graph))).toThrow(refusedWith('nested', 'model-too-deep'))
})

test('refuses what is no ONNX file, and never fails in another way', () => {
  expect(() => checkModelFile(new Uint8Array(0))).toThrow(refusedWith('not an ONNX model'))
  expect(() => checkModelFile(new TextEncoder().encode('{"formatVersion":1}'))).toThrow(ModelError)
  const model = onnxFile('wide')
  fc.assert(
    fc.property(fc.nat({ max: model.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
      const changed = Uint8Array.from(model)
      changed[at] = byte
      for (const bytes of [changed, model.subarray(0, at)]) {
        try {
          checkModelFile(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError)
        }
      }
    }),
  )
})

function field(number: number, body: Buffer): Buffer {
  const length: number[] = []
  for (let left = body.length; ; left >>= 7) {
    length.push((left & 127) | (left > 127 ? 128 : 0))
    if (left <= 127) return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), body])
  }
}
