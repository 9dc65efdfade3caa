import { beforeEach, describe, expect, test } from 'vitest'
import type { Column } from '../../src/catalog/columns.ts'
import type { TableSchema } from '../../src/catalog/items.ts'
import { decodeManifest } from '../../src/catalog/manifest.ts'
import { sha256Hex } from '../../src/platform/hash.ts'
import { type CatalogWorld, catalogWorld, DAY, PLAIN, REASON, textOf, textParts, USERS } from './factories.ts'

let world: CatalogWorld
beforeEach(async () => {
  world = catalogWorld()
  await world.catalog.createTable(USERS, PLAIN)
})

const bytes = (text: string) => new TextEncoder().encode(text)
const codeIs = (code: string) => expect.objectContaining({ code })

describe('tables', () => {
  const ref = { db: 'shop', table: 'typed' }
  const typed = (...columns: readonly Column[]): TableSchema => ({ ...PLAIN, format: 'parquet', columns })
  const spend = { name: 'spend', type: 'double' } as const
  const orders = { name: 'orders', type: 'int64' } as const

  test('are created once; columns come and go, and the newest schema holds', async () => {
    const { catalog } = world
    expect(await catalog.schema(ref)).toBeUndefined()
    expect(await catalog.createTable(ref, typed(spend))).toBe('created')
    expect(await catalog.createTable(ref, typed(spend))).toBe('exists')
    expect(await catalog.createTable(ref, typed(spend, orders))).toBe('changed')
    expect(await catalog.createTable(ref, typed(orders))).toBe('changed')
    expect(await catalog.schema(ref)).toEqual(typed(orders))
    expect([...world.store.items.values()].filter(item => item.table === 'shop.typed').map(item => item.sk)).toEqual([
      'schema',
      'schema#000000002',
      'schema#000000003',
    ])
  })

  test('refuse another type of a column, and another format', async () => {
    const { catalog } = world
    await catalog.createTable(ref, typed(spend))
    const retyped = typed({ name: 'Spend', type: 'int64' })
    await expect(catalog.createTable(ref, retyped)).rejects.toEqual(codeIs('table-differs'))
    await expect(catalog.createTable(ref, { ...typed(spend), format: 'zip' })).rejects.toEqual(codeIs('table-differs'))
    expect(await catalog.schema(ref)).toEqual(typed(spend))
  })

  test('are changed by several at once without losing a change', async () => {
    const { catalog } = world
    const schemas = Array.from({ length: 5 }, (_, index) => typed(spend, { name: `column${index}`, type: 'json' }))
    await Promise.all(schemas.map(schema => catalog.createTable(ref, schema)))
    const kept = [...world.store.items.values()].filter(item => item.table === 'shop.typed')
    expect(kept).toHaveLength(5)
    expect(schemas).toContainEqual(await catalog.schema(ref))
  })

  test('refuse columns that no engine would take', async () => {
    const columns = [
      { name: 'spend', type: 'double' as const },
      { name: 'Spend', type: 'double' as const },
    ]
    const ref = { db: 'shop', table: 'other' }
    await expect(world.catalog.createTable(ref, { ...PLAIN, columns })).rejects.toEqual(codeIs('column-invalid'))
    const named = { ...PLAIN, columns: [{ name: 'a b', type: 'string' as const }] }
    await expect(world.catalog.createTable(ref, named)).rejects.toEqual(codeIs('column-invalid'))
  })

  test('must exist before a batch is stored', async () => {
    const ref = { db: 'shop', table: 'never', partition: 'p' }
    await expect(world.catalog.store(ref, { parts: textParts('a'), ...REASON })).rejects.toEqual(
      codeIs('table-not-found'),
    )
    expect(world.objects.objects.size).toBe(0)
  })
})

describe('a stored batch', () => {
  test('is current and loads as it was given', async () => {
    const inputs = [{ table: 'shop.raw', partition: 'p', batchId: '20010630000000-00000000' }]
    const entry = await world.catalog.store(DAY, { parts: textParts('a', 'bb'), ...REASON, inputs })
    expect(entry).toMatchObject({ number: 1, kind: 'commit', ...REASON })
    expect(await world.catalog.current(DAY)).toEqual(entry)
    const batch = await world.catalog.load(DAY)
    expect(await textOf(batch)).toEqual(['a', 'bb'])
    expect(batch.record).toMatchObject({ parts: 2, rows: 2, bytes: 3, state: 'hot', inputs })
    expect(await world.catalog.batch(DAY, entry.batchId)).toEqual(batch.record)
  })

  test('lies under its own batch ID, with a manifest that names and hashes everything', async () => {
    const { batchId } = await world.catalog.store(DAY, {
      parts: [...textParts('a'), { name: 'part-b17', body: new Uint8Array(2), rows: 9 }],
      ...REASON,
    })
    const location = `shop/users/date=2001-06-30/${batchId}/`
    expect([...world.objects.objects.keys()].sort()).toEqual([
      `${location}manifest.json`,
      `${location}part-00000.ndjson.gz`,
      `${location}part-b17.ndjson.gz`,
    ])
    const manifest = world.objects.objects.get(`${location}manifest.json`) ?? new Uint8Array(0)
    expect(decodeManifest(manifest, 'manifest').parts).toEqual([
      { name: 'part-00000.ndjson.gz', bytes: 1, rows: 1, sha256: sha256Hex('a') },
      { name: 'part-b17.ndjson.gz', bytes: 2, rows: 9, sha256: sha256Hex(new Uint8Array(2)) },
    ])
    expect((await world.catalog.batch(DAY, batchId)).manifestSha256).toBe(sha256Hex(manifest))
  })

  test('costs one object a part and the manifest, one look at each part, and four calls to the catalogue', async () => {
    Object.assign(world.store.calls, { create: 0, get: 0, list: 0 })
    await world.catalog.store(DAY, { parts: textParts('a', 'b', 'c'), ...REASON })
    expect(world.objects.calls).toEqual({ create: 4, stat: 3, get: 0, list: 0 })
    expect(world.store.calls).toMatchObject({ create: 2, createAll: 0, replace: 0, get: 0, list: 2 })
  })

  test('may be empty', async () => {
    await world.catalog.store(DAY, { parts: [], ...REASON })
    expect(await textOf(await world.catalog.load(DAY))).toEqual([])
  })

  test('keeps no more than a few parts in memory', async () => {
    let pulled = 0
    let uploaded = 0
    let aheadMax = 0
    const { objects } = world
    const create = objects.create.bind(objects)
    objects.create = async (...args) => {
      await new Promise(resolve => setImmediate(resolve))
      const outcome = await create(...args)
      uploaded++
      return outcome
    }
    async function* parts() {
      for (const part of textParts(...Array.from({ length: 40 }, (_, index) => `part ${index}`))) {
        pulled++
        aheadMax = Math.max(aheadMax, pulled - uploaded)
        yield part
      }
    }
    await world.catalog.store(DAY, { parts: parts(), ...REASON })
    expect(await textOf(await world.catalog.load(DAY))).toHaveLength(40)
    expect(aheadMax).toBeLessThanOrEqual(5)
  })

  test('is refused with a part name twice, no reason, or a batch ID of somebody else', async () => {
    const { catalog } = world
    const twice = textParts('a', 'b').map(part => ({ ...part, name: 'part-same' }))
    await expect(catalog.store(DAY, { parts: twice, ...REASON })).rejects.toEqual(codeIs('part-name-invalid'))
    const climbing = [{ name: '../part-1', body: new Uint8Array(1), rows: 1 }]
    await expect(catalog.store(DAY, { parts: climbing, ...REASON })).rejects.toEqual(codeIs('part-name-invalid'))
    await expect(catalog.store(DAY, { parts: [], who: 'ana', why: ' ' })).rejects.toEqual(codeIs('reason-invalid'))
    const { batchId } = await catalog.store(DAY, { parts: textParts('mine'), ...REASON })
    await expect(catalog.store(DAY, { parts: textParts('yours'), ...REASON, batchId })).rejects.toEqual(
      codeIs('batch-exists'),
    )
    expect(await textOf(await catalog.load(DAY))).toEqual(['mine'])
  })

  test('leaves other partitions alone, even one whose name starts alike', async () => {
    await world.catalog.store(DAY, { parts: textParts('day'), ...REASON })
    const longer = { ...DAY, partition: `${DAY.partition}x` }
    expect(await world.catalog.current(longer)).toBeUndefined()
    await expect(world.catalog.load(longer)).rejects.toEqual(codeIs('partition-empty'))
    await world.catalog.store(longer, { parts: textParts('longer'), ...REASON })
    expect(await textOf(await world.catalog.load(DAY))).toEqual(['day'])
  })
})

describe('history and rollback', () => {
  test('a rollback is a new entry, and the batch before loads again', async () => {
    const first = await world.catalog.store(DAY, { parts: textParts('first'), ...REASON })
    const second = await world.catalog.store(DAY, { parts: textParts('second'), ...REASON })
    const plan = await world.catalog.planRollback(DAY, first.batchId)
    expect(plan).toMatchObject({ from: second, to: { batchId: first.batchId }, nextNumber: 3 })
    expect(await world.catalog.current(DAY)).toEqual(second)

    const back = await world.catalog.rollback(DAY, { to: first.batchId, who: 'bob', why: 'second was wrong' })
    expect(back).toMatchObject({ number: 3, kind: 'rollback', batchId: first.batchId, who: 'bob' })
    expect(await textOf(await world.catalog.load(DAY))).toEqual(['first'])
    expect(await textOf(await world.catalog.load(DAY, second.batchId))).toEqual(['second'])
    expect(await world.catalog.history(DAY)).toEqual([back, second, first])
    expect(await world.catalog.history(DAY, { limit: 1 })).toEqual([back])
  })

  test('refuses what was never committed, what is current, and what is no batch ID', async () => {
    const { catalog } = world
    await expect(catalog.rollback(DAY, { to: '20010630000000-00000000', ...REASON })).rejects.toEqual(
      codeIs('partition-empty'),
    )
    const { batchId } = await catalog.store(DAY, { parts: textParts('only'), ...REASON })
    await expect(catalog.rollback(DAY, { to: batchId, ...REASON })).rejects.toEqual(codeIs('already-current'))
    await expect(catalog.rollback(DAY, { to: '20010630000000-00000000', ...REASON })).rejects.toEqual(
      codeIs('batch-not-found'),
    )
    await expect(catalog.rollback(DAY, { to: 'yesterday', ...REASON })).rejects.toEqual(codeIs('batch-id-invalid'))
    expect(await catalog.history(DAY)).toHaveLength(1)
  })
})

describe('a damaged batch is refused', () => {
  async function storedKey(name: string): Promise<string> {
    const { batchId } = await world.catalog.store(DAY, { parts: textParts('part zero', 'part one'), ...REASON })
    return `shop/users/date=2001-06-30/${batchId}/${name}`
  }

  const read = async () => textOf(await world.catalog.load(DAY))

  test('when one byte of a part is another', async () => {
    const key = await storedKey('part-00001.ndjson.gz')
    const body = world.objects.objects.get(key) ?? new Uint8Array(0)
    body[0] = (body[0] ?? 0) ^ 1
    await expect(read()).rejects.toEqual(codeIs('batch-damaged'))
  })

  test('when a part is short or gone', async () => {
    const key = await storedKey('part-00000.ndjson.gz')
    world.objects.objects.set(key, bytes('part zer'))
    await expect(read()).rejects.toEqual(codeIs('batch-damaged'))
    world.objects.objects.delete(key)
    await expect(read()).rejects.toEqual(codeIs('batch-damaged'))
  })

  test('when the manifest was exchanged together with a part', async () => {
    const key = await storedKey('manifest.json')
    const text = new TextDecoder().decode(world.objects.objects.get(key))
    world.objects.objects.set(key, bytes(text.replace(sha256Hex('part zero'), sha256Hex('part nine'))))
    world.objects.objects.set(key.replace('manifest.json', 'part-00000.ndjson.gz'), bytes('part nine'))
    await expect(read()).rejects.toEqual(codeIs('batch-damaged'))
  })

  test('when the catalogue item is not of its layout', async () => {
    await storedKey('manifest.json')
    for (const [key, item] of world.store.items) {
      if (item.sk.startsWith('batch#')) world.store.items.set(key, { ...item, attributes: { batchId: 7 } })
    }
    await expect(read()).rejects.toEqual(codeIs('catalog-item-corrupt'))
  })
})
