// What is stored is looked at right before a commit, whoever wrote it.
import { gzipSync } from 'node:zlib'
import { beforeEach, describe, expect, test } from 'vitest'
import { newBatchId } from '../../src/catalog/batch-id.ts'
import type { TableSchema } from '../../src/catalog/items.ts'
import type { ManifestPart } from '../../src/catalog/manifest.ts'
import { writeParquet } from '../../src/catalog/parquet-rows.ts'
import { TEXT_LIMITS } from '../../src/catalog/read-budget.ts'
import type { CommitInput } from '../../src/catalog/store-batch.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { type CatalogWorld, catalogWorld, DAY, PLAIN, REASON, START_MS, textOf, textParts, USERS } from './factories.ts'

const BATCH = newBatchId(START_MS, seededRandom(8))
const LOCATION = `shop/users/date=2001-06-30/${BATCH}/`
const PARQUET: TableSchema = { format: 'parquet', owner: 'ana', columns: [{ name: 'n', type: 'int64' }] }
const threeRows = writeParquet(PARQUET.columns, [{ n: 1 }, { n: 2 }, { n: 3 }])

let world: CatalogWorld
beforeEach(async () => {
  world = catalogWorld()
  await world.catalog.createTable(USERS, PLAIN)
})

const write = () => world.catalog.writeParts(DAY, PLAIN, { batchId: BATCH, parts: textParts('part 0', 'part 1') })
const commit = (parts: readonly ManifestPart[], schema = PLAIN) =>
  world.catalog.commitParts(DAY, schema, { batchId: BATCH, parts, ...REASON })

async function expectDiffers(parts: readonly ManifestPart[], what: string, schema = PLAIN): Promise<void> {
  const message = expect.stringContaining(what)
  await expect(commit(parts, schema)).rejects.toMatchObject({ code: 'part-differs', batchId: BATCH, message })
  expect(await world.catalog.current(DAY)).toBeUndefined()
  expect([...world.objects.objects.keys()]).not.toContain(`${LOCATION}manifest.json`)
}

describe('parts that were written before', () => {
  test('are committed as they are, for one look at each and no byte read', async () => {
    const parts = await write()
    Object.assign(world.objects.calls, { create: 0, stat: 0, get: 0, list: 0 })
    await commit(parts)
    expect(world.objects.calls).toEqual({ create: 1, stat: 2, get: 0, list: 0 })
    expect(await textOf(await world.catalog.load(DAY))).toEqual(['part 0', 'part 1'])
  })

  test.each<[string, Partial<ManifestPart>, string]>([
    ['other bytes', { bytes: 7 }, 'bytes 6 instead of 7'],
    ['another hash', { sha256: sha256Hex('else') }, 'sha256'],
    ['other rows', { rows: 9 }, 'rows 1 instead of 9'],
    ['another name', { name: 'part-00009.ndjson.gz' }, 'not there'],
  ])('stop the commit where the writer said %s', async (_what, change, text) => {
    const [first, second] = await write()
    if (first === undefined || second === undefined) throw new Error('two parts were written')
    await expectDiffers([first, { ...second, ...change }], text)
  })

  test('stop the commit where one is gone, torn or of another writer', async () => {
    const parts = await write()
    const key = `${LOCATION}part-00001.ndjson.gz`
    world.objects.objects.delete(key)
    await expectDiffers(parts, 'not there')
    world.objects.objects.set(key, new TextEncoder().encode('part'))
    await expectDiffers(parts, 'bytes 4 instead of 6')
    world.objects.objects.set(key, new TextEncoder().encode('part 9'))
    await expectDiffers(parts, 'sha256')
  })

  test('by who told the store no checksum are read, and checked as well', async () => {
    const body = new TextEncoder().encode('foreign')
    await world.objects.create(`${LOCATION}part-00000.ndjson.gz`, body)
    const part = { name: 'part-00000.ndjson.gz', bytes: 7, rows: 1, sha256: sha256Hex('foreign') }
    await expectDiffers([{ ...part, sha256: sha256Hex('foreigm') }], 'sha256')
    Object.assign(world.objects.calls, { create: 0, stat: 0, get: 0, list: 0 })
    await commit([part])
    expect(world.objects.calls).toEqual({ create: 1, stat: 1, get: 1, list: 0 })
  })

  test('of Parquet by others have the rows that their footer says', async () => {
    await world.objects.create(`${LOCATION}part-00000.parquet`, threeRows)
    const part = { name: 'part-00000.parquet', bytes: threeRows.length, rows: 3, sha256: sha256Hex(threeRows) }
    await expectDiffers([{ ...part, rows: 4 }], 'rows 3 instead of 4', PARQUET)
    expect(await commit([part], PARQUET)).toMatchObject({ number: 1 })
  })

  test('of Parquet by others that lack a column are refused: nobody could read them', async () => {
    await world.objects.create(`${LOCATION}part-00000.parquet`, threeRows)
    const part = { name: 'part-00000.parquet', bytes: threeRows.length, rows: 3, sha256: sha256Hex(threeRows) }
    const grown = { ...PARQUET, columns: [...PARQUET.columns, { name: 'label', type: 'string' } as const] }
    await expectDiffers([part], 'the column "label" is not in it', grown)
  })

  describe('of text by others', () => {
    const TEXT: TableSchema = { format: 'ndjson.gz', owner: 'ana', columns: PARQUET.columns }
    const body = gzipSync('{"n":1}\n{"n":2}\n{"n":3}\n')
    const part = { name: 'part-00000.ndjson.gz', bytes: body.length, rows: 3, sha256: sha256Hex(body) }
    beforeEach(() => world.objects.create(`${LOCATION}${part.name}`, body, { sha256: part.sha256 }))

    test('are read, each once, and have the rows that are in them', async () => {
      await expectDiffers(
        [{ ...part, rows: 4 }],
        `${LOCATION}${part.name} is not as its writer said: rows 3 instead of 4`,
        TEXT,
      )
      await expectDiffers([{ ...part, rows: 2 }], 'it has more rows than 2', TEXT)
      Object.assign(world.objects.calls, { create: 0, stat: 0, get: 0, list: 0 })
      expect(await commit([part], TEXT)).toMatchObject({ number: 1 })
      expect(world.objects.calls).toEqual({ create: 1, stat: 1, get: 1, list: 0 })
    })

    test('are not read where they say more than is read', async () => {
      const next = expect.stringMatching(/^Store it /)
      const message = expect.stringContaining(`${LOCATION}${part.name}: `)
      const many = commit([{ ...part, rows: TEXT_LIMITS.valuesMax + 1 }], TEXT)
      await expect(many).rejects.toMatchObject({ code: 'part-too-big', batchId: BATCH, next, message })
    })

    test('are of a table that has got a column since: its values are null, as for every reader', async () => {
      const grown = { ...TEXT, columns: [...TEXT.columns, { name: 'label', type: 'string' } as const] }
      expect(await commit([part], grown)).toMatchObject({ number: 1 })
    })

    test('of a table without columns are nobody’s rows', async () => {
      expect(await commit([{ ...part, rows: 1 }], PLAIN)).toMatchObject({ number: 1 })
    })
  })

  test.each<[string, (part: ManifestPart) => Partial<CommitInput>, string]>([
    ['a batch ID that is none', () => ({ batchId: 'newest', parts: [] }), 'batch-id-invalid'],
    ['a place of another partition', () => ({ batchId: `hour=1/${BATCH}`, parts: [] }), 'batch-id-invalid'],
    ['one that is elsewhere', part => ({ parts: [{ ...part, name: `x/${part.name}` }] }), 'part-name-invalid'],
    ['one of another format', part => ({ parts: [{ ...part, name: 'part-00000.parquet' }] }), 'part-name-invalid'],
    ['one twice', part => ({ parts: [part, part] }), 'part-name-invalid'],
  ])('are not committed with %s', async (_what, change, code) => {
    const [part] = await write()
    if (part === undefined) throw new Error('two parts were written')
    await world.objects.create(`${LOCATION}x/${part.name}`, new TextEncoder().encode('part 0'))
    const input = { batchId: BATCH, ...REASON, parts: [part], ...change(part) }
    await expect(world.catalog.commitParts(DAY, PLAIN, input)).rejects.toMatchObject({ code })
    expect(await world.catalog.current(DAY)).toBeUndefined()
  })

  test('are not committed to a partition of other keys than the table has', async () => {
    const schema = { ...PLAIN, partitionKeys: ['year'] }
    const commitTo = world.catalog.commitParts(DAY, schema, { batchId: BATCH, parts: [], ...REASON })
    await expect(commitTo).rejects.toMatchObject({ code: 'partition-invalid' })
  })

  test('that are no Parquet at all are none of a Parquet table', async () => {
    const body = new TextEncoder().encode('no parquet, though it is long enough')
    await world.objects.create(`${LOCATION}part-00000.parquet`, body)
    const part = { name: 'part-00000.parquet', bytes: body.length, rows: 3, sha256: sha256Hex(body) }
    await expectDiffers([part], 'it is no Parquet file', PARQUET)
  })
})

describe('a store of parts', () => {
  test('is stopped where a part is lost between its write and the commit', async () => {
    const { objects } = world
    const create = objects.create.bind(objects)
    objects.create = async (key, body, options) => {
      const outcome = await create(key, body, options)
      if (key.endsWith('part-00001.ndjson.gz')) objects.objects.delete(key)
      return outcome
    }
    await expect(world.catalog.store(DAY, { parts: textParts('a', 'b', 'c'), ...REASON })).rejects.toMatchObject({
      code: 'part-differs',
    })
    expect(await world.catalog.current(DAY)).toBeUndefined()
  })

  test('is refused where a Parquet file has other rows than its maker says, before it is written', async () => {
    const ref = { ...DAY, table: 'typed' }
    await world.catalog.createTable(ref, PARQUET)
    const store = (rows: number) => world.catalog.store(ref, { parts: [{ body: threeRows, rows }], ...REASON })
    await expect(store(2)).rejects.toMatchObject({ code: 'part-differs' })
    expect(world.objects.objects.size).toBe(0)
    expect(await store(3)).toMatchObject({ number: 1 })
  })

  test('has the store check each body, and tells it the rows', async () => {
    const { batchId } = await world.catalog.store(DAY, { parts: textParts('a'), ...REASON })
    const options = world.objects.options.get(`shop/users/date=2001-06-30/${batchId}/part-00000.ndjson.gz`)
    expect(options).toMatchObject({ sha256: sha256Hex('a'), metadata: { rows: '1' } })
  })
})
