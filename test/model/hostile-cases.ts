// Artifacts that must never serve, each for one reason, and the code that says so. All but for that reason they are right.
import { readFileSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'
import type { ModelInput } from '../../src/model/artifact-manifest.ts'
import type { TrialLimits } from '../../src/model/trial-load.ts'
import { onnxFile } from './factories.ts'
import { goldenText, papers, papersZip, type Papers } from './papers.ts'
import { type RawEntry, type RawZip, rawZip } from './zip-writer.ts'

export interface HostileCase {
  readonly what: string
  readonly code: string
  readonly zip: Uint8Array
  /** Nothing is wrong with it but what it does where it is opened; found by whoever publishes it. */
  readonly trial?: Partial<TrialLimits>
}

const MB = 1_048_576
const SCORE = { name: 'probability', tensor: 'score', column: 0 }

/** `inputs`: what the deployed model takes, so that a case is refused for its own reason. */
export function hostileCases(inputs: readonly ModelInput[]): HostileCase[] {
  const right: Papers = { manifest: { inputs: [...inputs] } }
  return [...structures(right), ...archives(right), ...contents(right), ...models(right), ...harm(right)]
}

/** Names, kinds and doubles. */
function structures(right: Papers): HostileCase[] {
  const withEntry = (...more: readonly RawEntry[]): Uint8Array => rawZip({ entries: [...papers(right), ...more] })
  const link = Buffer.alloc(4 + 12 + 11)
  link.writeUInt16LE(0x000d, 0)
  link.writeUInt16LE(12 + 11, 2)
  link.write('/etc/passwd', 16)
  const mode = Buffer.alloc(4 + 14)
  mode.writeUInt16LE(0x756e, 0)
  mode.writeUInt16LE(14, 2)
  mode.writeUInt16LE(0o120777, 8)
  const hidden = { name: 'extra/a', extra: link, inDirectory: { extra: Buffer.alloc(0) } }
  const otherName = Buffer.from([0x75, 0x70, 1, 0, 1])
  return [
    { what: 'a name that climbs out', code: 'artifact-zip-slip', zip: withEntry({ name: 'extra/../../etc/cron.d/x' }) },
    { what: 'a name from the root', code: 'artifact-zip-slip', zip: withEntry({ name: '/etc/cron.d/x' }) },
    { what: 'a name with backslashes', code: 'artifact-zip-slip', zip: withEntry({ name: 'extra\\..\\..\\x' }) },
    { what: 'a name with a drive', code: 'artifact-zip-slip', zip: withEntry({ name: 'C:x.dll' }) },
    { what: 'a name with a control character', code: 'artifact-name', zip: withEntry({ name: 'extra/a\u0000.py' }) },
    { what: 'a name that is no UTF-8', code: 'artifact-name', zip: withEntry({ name: Uint8Array.of(0x65, 0xff) }) },
    {
      what: 'a second name for other readers',
      code: 'artifact-name',
      zip: withEntry({ name: 'extra/a', extra: otherName }),
    },
    {
      what: 'a symbolic link',
      code: 'artifact-link',
      zip: withEntry({ name: 'extra/a', content: '/etc/passwd', mode: 0o120777 }),
    },
    { what: 'a link of PKWARE', code: 'artifact-link', zip: withEntry({ name: 'extra/a', extra: link }) },
    { what: 'a link of ASi', code: 'artifact-link', zip: withEntry({ name: 'extra/a', extra: mode }) },
    { what: 'a link that the directory keeps silent about', code: 'artifact-inconsistent', zip: withEntry(hidden) },
    { what: 'a junction of Windows', code: 'artifact-link', zip: withEntry({ name: 'extra/a', dosAttributes: 0x400 }) },
    { what: 'a device', code: 'artifact-special-file', zip: withEntry({ name: 'extra/a', mode: 0o020666 }) },
    { what: 'a pipe', code: 'artifact-special-file', zip: withEntry({ name: 'extra/a', mode: 0o010666 }) },
    {
      what: 'two models',
      code: 'artifact-duplicate',
      zip: withEntry({ name: 'model.onnx', content: onnxFile('named') }),
    },
    { what: 'names alike but for case', code: 'artifact-case-collision', zip: withEntry({ name: 'Model.ONNX' }) },
    {
      what: 'names alike but for how é is written',
      code: 'artifact-case-collision',
      zip: withEntry({ name: 'extra/caf\u00e9' }, { name: 'extra/cafe\u0301' }),
    },
    {
      what: 'a file where a folder must be',
      code: 'artifact-case-collision',
      zip: withEntry({ name: 'extra/train.py/x' }),
    },
    {
      what: 'a file at the top that nobody knows',
      code: 'artifact-unknown-place',
      zip: withEntry({ name: 'setup.py' }),
    },
    {
      what: 'a file that the manifest has no hash of',
      code: 'artifact-unlisted',
      zip: withEntry({ name: 'extra/more.py' }),
    },
  ]
}

/** What is wrong with the zip as a zip. */
function archives(right: Papers): HostileCase[] {
  const entries = papers(right)
  const changed = (name: string, changes: Partial<RawEntry>): RawEntry[] =>
    entries.map(entry => (entry.name === name ? { ...entry, ...changes } : entry))
  const zeros = Buffer.alloc(20 * MB)
  const made = (zip: Partial<RawZip>): Uint8Array => rawZip({ entries, ...zip })
  const whole = made({})
  // Its content is a whole entry, header and all, which is in the directory too.
  const inner = rawZip({ entries: [{ name: 'extra/b', content: 'x', method: 0 }] }).subarray(0, 30 + 7 + 1)
  const outerAt = whole.length - 22 - Buffer.from(whole).readUInt32LE(whole.length - 10)
  const overlap = made({
    entries: [
      ...entries,
      { name: 'extra/a', content: inner, method: 0 },
      { name: 'extra/b', content: 'x', method: 0, inDirectory: { headerAt: outerAt + 30 + 7 } },
    ],
  })
  const thousand = Array.from({ length: 1_000 }, (_, index) => ({ name: `extra/${index}` }))
  const bomb: RawEntry = { name: 'extra/a', content: zeros }
  const tooLong: RawEntry = { ...bomb, packed: deflateRawSync(Buffer.alloc(2 * MB, 'ab')), plainBytes: 1_000 }
  const packed = zeros.subarray(0, MB)
  const large = Array.from({ length: 7 }, (_, index) => ({ name: `extra/${index}`, packed, plainBytes: 30 * MB }))
  const huge = { plainBytes: 200 * MB }
  return [
    {
      what: 'files that are too much together',
      code: 'artifact-too-big',
      zip: made({ entries: [...entries, ...large] }),
    },
    {
      what: 'a stored file of two lengths',
      code: 'artifact-bomb',
      zip: made({ entries: changed('extra/train.py', { method: 0, plainBytes: 99 }) }),
    },
    { what: 'no zip', code: 'artifact-invalid', zip: Buffer.from('<html>Not found</html>'.repeat(10)) },
    { what: 'a zip that is cut off', code: 'artifact-invalid', zip: whole.subarray(0, whole.length - 9) },
    { what: 'a comment, which may be another zip', code: 'artifact-invalid', zip: made({ comment: 'PK' }) },
    {
      what: 'a zip64',
      code: 'artifact-zip64',
      zip: made({ beforeEnd: Buffer.concat([Buffer.from('PK\u0006\u0007'), Buffer.alloc(16)]) }),
    },
    { what: 'a thousand files', code: 'artifact-too-many', zip: made({ entries: [...entries, ...thousand] }) },
    {
      what: 'two descriptions of a file',
      code: 'artifact-inconsistent',
      zip: made({ entries: changed('model.onnx', { inDirectory: { plainBytes: 7 } }) }),
    },
    {
      what: 'another name in the directory',
      code: 'artifact-inconsistent',
      zip: made({ entries: changed('extra/train.py', { inDirectory: { name: 'extra/Train.py' } }) }),
    },
    {
      what: 'bytes between files',
      code: 'artifact-inconsistent',
      zip: made({ entries: changed('model.onnx', { before: Buffer.alloc(64) }) }),
    },
    {
      what: 'a directory longer than it says',
      code: 'artifact-inconsistent',
      zip: made({ count: entries.length - 1 }),
    },
    { what: 'files on top of each other', code: 'artifact-overlap', zip: overlap },
    { what: 'a bomb by its own words', code: 'artifact-bomb', zip: made({ entries: [...entries, bomb] }) },
    { what: 'a bomb that says it is small', code: 'artifact-bomb', zip: withBombInManifest(entries, tooLong) },
    { what: 'a model over the limit', code: 'artifact-too-big', zip: made({ entries: changed('model.onnx', huge) }) },
    {
      what: 'a password',
      code: 'artifact-encrypted',
      zip: made({ entries: changed('model.onnx', { flags: 0x0801 }) }),
    },
    { what: 'AES', code: 'artifact-encrypted', zip: made({ entries: changed('model.onnx', { method: 99 }) }) },
    { what: 'another packing', code: 'artifact-method', zip: made({ entries: changed('model.onnx', { method: 14 }) }) },
    { what: 'a wrong checksum', code: 'artifact-damaged', zip: made({ entries: changed('model.onnx', { crc: 1 }) }) },
  ]
}

/** The manifest is inflated first, so that no hash can refuse it before. */
function withBombInManifest(entries: readonly RawEntry[], bomb: RawEntry): Uint8Array {
  return rawZip({
    entries: entries.map(entry => (entry.name === 'manifest.json' ? { ...bomb, name: entry.name } : entry)),
  })
}

/** Papers that do not hold. */
function contents(right: Papers): HostileCase[] {
  const { manifest } = right
  const entries = papers(right)
  const other = onnxFile('named')
  const swap = (name: string, content: Uint8Array | string): Uint8Array =>
    rawZip({ entries: entries.map(entry => (entry.name === name ? { ...entry, content } : entry)) })
  const outputs = (...probability: readonly unknown[]): string => goldenText({ outputs: { probability } })
  const range = (from: number, to: number): Papers['manifest'] => ({
    ...manifest,
    outputs: [{ name: 'probability', tensor: 'probabilities', column: 1, range: [from, to] }],
  })
  const without = (name: string): Uint8Array => rawZip({ entries: entries.filter(entry => entry.name !== name) })
  const nan: Papers = {
    model: harmful('nan'),
    golden: goldenText({ inputs: [[-1, 0, 0]], outputs: { probability: [0] } }),
    manifest: { ...manifest, outputs: [SCORE] },
  }
  return [
    { what: 'no manifest', code: 'artifact-file-missing', zip: without('manifest.json') },
    { what: 'no model', code: 'artifact-file-missing', zip: without('model.onnx') },
    { what: 'no golden rows that the manifest lists', code: 'artifact-file-missing', zip: without('golden.json') },
    { what: 'a manifest that is none', code: 'manifest-invalid', zip: swap('manifest.json', '{"formatVersion":2}') },
    { what: 'another model than described', code: 'artifact-hash', zip: swap('model.onnx', other) },
    { what: 'another script than described', code: 'artifact-hash', zip: swap('extra/train.py', 'import os') },
    { what: 'golden rows that are none', code: 'golden-invalid', zip: papersZip({ ...right, golden: '{}' }) },
    {
      what: 'golden rows of two inputs',
      code: 'golden-invalid',
      zip: papersZip({
        ...right,
        golden: goldenText({
          inputs: [
            [1, 2],
            [3, 4],
          ],
        }),
      }),
    },
    {
      what: 'golden rows that are off',
      code: 'golden-differs',
      zip: papersZip({ ...right, golden: outputs(0.5, 0.7) }),
    },
    { what: 'NaN on a golden row', code: 'golden-not-finite', zip: papersZip(nan) },
    {
      what: 'a golden row out of range',
      code: 'golden-out-of-range',
      zip: papersZip({ manifest: range(0, 0.6) ?? {} }),
    },
  ]
}

/** Files that the runtime must not see, or that are not what their papers say. */
function models(right: Papers): HostileCase[] {
  const { manifest } = right
  const inputs = manifest?.inputs ?? []
  const of = (fixture: string): Uint8Array =>
    papersZip({ model: onnxFile(fixture), manifest: { inputs, outputs: [SCORE] } })
  const elsewhere = inputs.map(input => ({ ...input, tensor: `${input.name}_2` }))
  const nothing = Uint8Array.from([0x3a, 11, 0x0a, 9, 0x22, 7, ...Buffer.from('Nothing')])
  return [
    { what: 'tensors in another file', code: 'model-external-data', zip: of('external') },
    { what: 'tensors in another file, two branches deep', code: 'model-external-data', zip: of('external-nested') },
    { what: 'operators of another library', code: 'model-domain', zip: of('custom') },
    { what: 'a hundred functions', code: 'model-too-deep', zip: of('functions') },
    { what: 'no ONNX', code: 'model-refused', zip: papersZip({ ...right, model: Buffer.from('pickle') }) },
    { what: 'an operator that there is not', code: 'model-unloadable', zip: papersZip({ ...right, model: nothing }) },
    {
      what: 'inputs that the file does not have',
      code: 'model-contract',
      zip: papersZip({ model: onnxFile('named'), manifest: { inputs: elsewhere, outputs: [SCORE] } }),
    },
    { what: 'a model for one row at a time', code: 'model-contract', zip: of('one-row') },
  ]
}

/** Of hostile-fixtures/, made by its make-fixtures.py. */
function harmful(fixture: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(`hostile-fixtures/${fixture}.onnx`, import.meta.url)))
}

/** Right by their papers, and harm where they are opened. */
function harm(right: Papers): HostileCase[] {
  const inputs = (right.manifest?.inputs ?? []).map(input => ({ ...input, missing: 0 }))
  const of = (fixture: string): Uint8Array => {
    return papersZip({ model: harmful(fixture), manifest: { inputs, outputs: [SCORE] } })
  }
  return [
    { what: 'gigabytes', code: 'model-too-much-memory', zip: of('memory'), trial: { rssBytes: 400 * MB } },
    { what: 'terabytes', code: 'model-too-much-memory', zip: of('terabytes'), trial: {} },
    { what: 'a loop without end', code: 'model-too-slow', zip: of('loop'), trial: { trialMs: 2_000 } },
    // Elsewhere than on x86 the division has a result, and golden rows that are off are what is wrong with it.
    {
      what: 'a division that ends the process',
      code: process.arch === 'x64' ? 'model-crashed' : 'golden-differs',
      zip: of('divide'),
      trial: {},
    },
  ]
}
