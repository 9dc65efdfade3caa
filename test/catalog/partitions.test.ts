// What readers of many partitions ask: which there are, what is in them already, and only the parts they need.
import { beforeEach, describe, expect, test } from 'vitest'
import { INPUTS_IN_ITEM_MAX } from '../../src/catalog/store-batch.ts'
import { type CatalogWorld, catalogWorld, DAY, PLAIN, REASON, textParts, USERS } from './factories.ts'

let world: CatalogWorld
beforeEach(async () => {
  world = catalogWorld()
  await world.catalog.createTable(USERS, PLAIN)
})

describe('partitions', () => {
  const names = ['all', 'all-2', 'all.2', 'hour=2026-01-02T03', 'hour=2026-01-02T0']

  test('are listed with the newest entry of each, whatever their names begin with', async () => {
    const { catalog } = world
    for (const partition of names) {
      for (let round = 0; round < 3; round++) {
        await catalog.store({ ...USERS, partition }, { parts: textParts(`${round}`), ...REASON })
      }
    }
    const found = await catalog.partitions(USERS)
    expect(found.map(({ partition }) => partition)).toEqual(names.toSorted())
    for (const { partition, entry } of found) {
      expect(entry).toEqual(await catalog.current({ ...USERS, partition }))
      expect(entry.number).toBe(3)
    }
  })

  test('of another table, or of none, are not among them', async () => {
    const { catalog } = world
    await catalog.store(DAY, { parts: [], ...REASON })
    expect(await catalog.partitions({ db: 'shop', table: 'use' })).toEqual([])
    expect(await catalog.partitions({ db: 'shop', table: 'nothing' })).toEqual([])
  })
})

describe('a batch', () => {
  test('says in its manifest which objects are in it, and nothing where nobody said', async () => {
    const { catalog } = world
    await catalog.store(DAY, { parts: [], ...REASON })
    expect((await catalog.load(DAY)).manifest.contains).toBeUndefined()
    const contains = ['raw/a', 'raw/b']
    await catalog.store(DAY, { parts: [], ...REASON, contains })
    expect((await catalog.load(DAY)).manifest.contains).toEqual(contains)
  })

  test('says in its manifest what its maker counted while the parts were stored', async () => {
    const { catalog } = world
    let pulled = 0
    function* counted() {
      for (const part of textParts('a', 'b')) {
        pulled++
        yield part
      }
    }
    await catalog.store(DAY, { parts: counted(), ...REASON, properties: () => ({ pulled }) })
    expect((await catalog.load(DAY)).manifest.properties).toEqual({ pulled: 2 })
  })

  test('hands out a part that is wanted, checked, and fetches no other', async () => {
    const { catalog, objects } = world
    await catalog.store(DAY, { parts: textParts('a', 'b', 'c'), ...REASON })
    const { record, manifest } = await catalog.load(DAY)
    const gets = objects.calls.get
    for (const part of manifest.parts.slice(1)) expect((await catalog.loadPart(record, part)).name).toBe(part.name)
    expect(objects.calls.get - gets).toBe(2)
    const [first, second] = manifest.parts
    const swapped = { ...first, name: second?.name ?? '', bytes: 1, rows: 1, sha256: first?.sha256 ?? '' }
    await expect(catalog.loadPart(record, swapped)).rejects.toMatchObject({ code: 'batch-damaged' })
  })

  test('made from more batches than an item takes names all of them in its manifest', async () => {
    const { catalog } = world
    const batchId = '20010630175959-7h3k9c2m'
    const inputs = Array.from({ length: INPUTS_IN_ITEM_MAX + 1 }, (_, n) => ({
      table: 't',
      partition: `p${n}`,
      batchId,
    }))
    await catalog.store(DAY, { parts: [], ...REASON, inputs })
    const { manifest, record } = await catalog.load(DAY)
    expect(manifest.inputs).toEqual(inputs)
    expect(record.inputs).toEqual(inputs.slice(0, INPUTS_IN_ITEM_MAX))
  })
})
