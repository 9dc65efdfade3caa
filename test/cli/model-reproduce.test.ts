// A version made again by the script in its artifact, from the batch that its papers name: the same model, another one, and scripts that
// fail, hang, or look for what is not theirs.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { modelRegistry } from '../../src/model/registry.ts'
import { newSigningKeys } from '../../src/model/signature.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import { manifestOf, onnxFile } from '../model/factories.ts'
import { call, openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, model, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
const visitor = features({ a: count(visit, { within: '1h' }), b: count(visit, { within: '1d' }), c: count(visit) })
export default pipeline({ name: 'shop', events: [visit], features: visitor, models: [model('churn', { from: visitor, inputs: ['a', 'b', 'c'], owner: 'ana' })] })
`
/** "Trains" by copying weights: the second of three, 2, becomes another one where it is told so. */
const SCRIPT = `
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
const [data, how] = process.argv.slice(2)
if (process.env.AWS_ENDPOINT_URL !== undefined) throw new Error('credentials are about')
if (readFileSync(data).subarray(0, 4).toString() !== 'PAR1') throw new Error('no Parquet')
console.log('trained ' + how)
const weights = readFileSync('weights/kept.bin')
if (how === 'other') weights.writeFloatLE(2.25, weights.indexOf(Buffer.from([0, 0, 0, 64, 0, 0, 128, 191])))
if (how === 'fails') process.exit(3)
if (how === 'hangs') setInterval(() => {}, 1000)
else if (how !== 'nothing') writeFileSync('model.onnx', weights)
`
const TABLE = { db: 'shop', table: 'training', partition: 'y2001' }

let folder = ''
let shop: Shop
const temporary = process.env['TMPDIR']
const versions = new Map<string, string>()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'model-reproduce-'))
  // So that nobody else's folders are looked at.
  process.env['TMPDIR'] = folder
  shop = await openShop({ source: PIPELINE })
  const { catalog } = shop.connection
  await catalog.createTable(TABLE, { columns: [{ name: 'a', type: 'double' }], format: 'parquet', owner: 'ana' })
  const { batchId } = await storeRows(catalog, TABLE, { rows: [{ a: 1 }], who: 'ana', why: 'training' })
  for (const how of ['same', 'other', 'fails', 'hangs', 'nothing']) {
    const entry = await modelRegistry(catalog).publish({
      zip: artifact(how, batchId),
      openSession: openOnnxSession,
      who: 'ana',
      why: how,
    })
    versions.set(how, entry.batchId)
  }
  const bare = zipSync({
    'manifest.json': strToU8(JSON.stringify(manifestOf(onnxFile('wide')))),
    'model.onnx': onnxFile('wide'),
  })
  versions.set(
    'bare',
    (await modelRegistry(catalog).publish({ zip: bare, openSession: openOnnxSession, who: 'ana', why: 'bare' }))
      .batchId,
  )
})

afterAll(async () => {
  await shop.close()
  if (temporary === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = temporary
  await rm(folder, { recursive: true, force: true })
})

function artifact(how: string, batchId: string): Uint8Array {
  const model = onnxFile('wide')
  const sigmoid = (score: number) => 1 / (1 + Math.exp(-score))
  const golden = {
    formatVersion: 1,
    inputs: [
      [0, 0, 0],
      [1, 0.5, 1],
    ],
    outputs: { probability: [sigmoid(0), sigmoid(1)] },
  }
  const extra: Record<string, Uint8Array> = {
    'golden.json': strToU8(JSON.stringify(golden)),
    'extra/train.mjs': strToU8(SCRIPT),
    'extra/weights/kept.bin': model,
  }
  const files = Object.fromEntries(
    Object.entries(extra).map(([name, bytes]) => [name, { sha256: sha256Hex(bytes), bytes: bytes.byteLength }]),
  )
  const { trainingData } = manifestOf(model)
  const manifest = manifestOf(model, {
    formatVersion: 2,
    files,
    reproduce: { command: [process.execPath, 'train.mjs', '{data}', how] },
    trainingData: { ...trainingData, table: 'shop.training', partition: TABLE.partition, batchId },
  })
  return zipSync({ ...extra, 'manifest.json': strToU8(JSON.stringify(manifest)), 'model.onnx': model })
}

async function reproduce(how: string, ...words: string[]) {
  return reproduceWith({}, how, ...words)
}

async function reproduceWith(env: Readonly<Record<string, string>>, how: string, ...words: string[]) {
  const all = ['model', 'reproduce', 'churn', versions.get(how) ?? '', ...words]
  return call(all, { cwd: shop.folder, env: { ...process.env, ...shop.aws.env, ...env }, clock: Date.now })
}

it('runs nothing without --yes, and says what it would run', async () => {
  const { exitCode, stderr } = await reproduce('same')
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(
    /It would run, from the artifact's 2 files: .*train.mjs {data} same, on shop.training, partition y2001, batch /,
  )
  expect(stderr).not.toContain('trained')
})

it('runs no script that nobody signed whose key is trusted', async () => {
  const { publicKey } = newSigningKeys()
  const { exitCode, stdout, stderr } = await reproduceWith({ MILLRACE_MODEL_KEYS: publicKey }, 'same', '--yes')
  expect([exitCode, stdout]).toEqual([1, ''])
  expect(stderr).toContain('not signed')
  expect(stderr).not.toContain('trained')
})

it('makes the same model from the same batch, in a folder that is gone afterwards', async () => {
  const { exitCode, stdout, stderr } = await reproduce('same', '--yes')
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'trained same\n' })
  expect(stdout).toContain('made again, the same file byte for byte')
  expect(stdout).toContain(
    '2 golden rows, numbers at most 0 apart (0.00001 is allowed), 0 labels changed: the same model',
  )
  expect((await readdir(tmpdir())).filter(name => name.startsWith('millrace-reproduce-'))).toEqual([])
})

it('says that another model came out, and by how much', async () => {
  const { exitCode, stdout, stderr } = await reproduce('other', '--yes')
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('(reproduce-differs)') })
  expect(stdout).toMatch(/another file\n2 golden rows, numbers at most 0\.02\d+ apart .*: another model/)
})

it.each([
  ['fails', 'The command failed with 3 (reproduce-failed)'],
  ['hangs', 'The command took too long, and was ended (reproduce-timeout)'],
  ['nothing', '(reproduce-no-model)'],
  ['bare', 'its papers do not say how (not-reproducible)'],
])('ends with a reason: %s', async (how, reason) => {
  const { exitCode, stderr } = await reproduce(how, '--yes', '--timeout', how === 'hangs' ? '1s' : '1m')
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(reason) })
})
