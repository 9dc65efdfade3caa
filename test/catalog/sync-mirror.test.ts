// The mirror of a catalogue over fakes: what commits do to it, and what a sync finds and repairs.
import { beforeEach, describe, expect, it } from 'vitest'
import type { Catalog } from '../../src/catalog/catalog.ts'
import type { MirrorPorts } from '../../src/catalog/compare-mirror.ts'
import type { LogEntry, TableSchema } from '../../src/catalog/items.ts'
import { linksKey } from '../../src/catalog/mirror-plan.ts'
import { observedCatalogStore } from '../../src/catalog/observed-catalog-store.ts'
import { isMirrored, moveMirror, syncMirror } from '../../src/catalog/sync-mirror.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { mirrorObserver } from '../../src/compose/deployed-mirror.ts'
import { type MemoryCatalogStore, memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { type MemoryObjectStore, memoryObjectStore } from '../fakes/memory-object-store.ts'
import { type MemoryTableMirror, memoryTableMirror, type MirrorWrite } from '../fakes/memory-table-mirror.ts'
import { catalogOver, DAY, PLAIN, REASON, textParts, USERS } from './factories.ts'

const OPTIONS = { databasePrefix: 'shop_dev__', catalogName: 'shop-dev-catalog', bucket: 'b' }
const SCHEMA: TableSchema = { columns: [{ name: 'user_id', type: 'string' }], format: 'parquet', owner: 'ana' }
const NAMES = { catalogTable: OPTIONS.catalogName, catalogBucket: OPTIONS.bucket }
const MIRROR = 'shop_dev__shop.users'
const NEXT_DAY = { ...USERS, partition: 'date=2001-07-01' }

let store: MemoryCatalogStore
let objects: MemoryObjectStore
let mirror: MemoryTableMirror
let ports: MirrorPorts
/** Whose commits move nothing by themselves. */
let quiet: Catalog
let beforeWrite: (write: MirrorWrite) => Promise<void> | void

beforeEach(async () => {
  beforeWrite = () => undefined
  store = memoryCatalogStore()
  objects = memoryObjectStore()
  mirror = memoryTableMirror(write => beforeWrite(write))
  ports = { store, objects, mirror, options: OPTIONS }
  quiet = catalogOver(store, objects)
  await quiet.createTable(USERS, SCHEMA)
})

const commit = (catalog: Catalog, ref = DAY): Promise<LogEntry> =>
  storeRows(catalog, ref, { rows: [{ user_id: 'a' }, { user_id: 'b' }], partRowsMax: 1, ...REASON })

function mirroredCatalog(errors: unknown[]): Catalog {
  const stores = { store, objects, names: NAMES }
  const settings = { ...OPTIONS, open: () => mirror, onError: (error: unknown) => void errors.push(error) }
  return catalogOver(mirrorObserver(settings)(stores, { clock: () => 0 }), objects)
}

function shown(value = '2001-06-30') {
  const { parameters, storage } = mirror.rows.get(MIRROR)?.get(JSON.stringify([value])) ?? {}
  return { batchId: parameters?.['millrace.batch-id'], number: parameters?.['millrace.log-number'], storage }
}

describe('a commit', () => {
  it('of any kind moves the mirror', async () => {
    const errors: unknown[] = []
    const catalog = mirroredCatalog(errors)
    const first = await commit(catalog)
    expect(shown()).toMatchObject({ batchId: first.batchId, number: '1' })
    const second = await commit(catalog)
    expect(shown()).toMatchObject({ batchId: second.batchId, number: '2' })
    await catalog.rollback(DAY, { to: first.batchId, ...REASON })
    expect(shown()).toMatchObject({ batchId: first.batchId, number: '3' })
    await catalog.promote(DAY, NEXT_DAY, { batchId: second.batchId, ...REASON })
    expect(shown('2001-07-01')).toMatchObject({ batchId: second.batchId, number: '1' })
    expect(shown('2001-07-01').storage?.location).toContain('/date=2001-06-30/')
    expect(errors).toEqual([])
  })

  it('lists the parts of its batch, and no other object', async () => {
    const { batchId } = await commit(mirroredCatalog([]))
    const location = `shop/users/date=2001-06-30/${batchId}/`
    expect(new TextDecoder().decode(objects.objects.get(linksKey({ location })))).toBe(
      `s3://b/${location}part-00000.parquet\ns3://b/${location}part-00001.parquet\n`,
    )
    expect(shown().storage?.location).toBe(`s3://b/glue.symlinks/${location}`)
  })

  it('is done whatever the metastore says, and that is told', async () => {
    const errors: unknown[] = []
    beforeWrite = () => Promise.reject(new Error('away'))
    const entry = await commit(mirroredCatalog(errors))
    expect((await quiet.current(DAY))?.batchId).toBe(entry.batchId)
    expect(errors).toEqual([expect.objectContaining({ message: 'away' })])
  })

  it('to a table that engines cannot read asks the metastore nothing', async () => {
    await quiet.createTable({ db: 'shop', table: 'notes' }, PLAIN)
    const errors: unknown[] = []
    const notes = { db: 'shop', table: 'notes', partition: 'all' }
    await mirroredCatalog(errors).store(notes, { parts: textParts('a'), ...REASON })
    expect(mirror.calls).toEqual([])
    expect(errors).toEqual([])
    expect(await isMirrored(store, { db: 'shop', table: 'none' })).toBe(false)
  })

  it('looks again once it has written, so that a slow one never leaves the place of an older batch', async () => {
    await commit(quiet)
    await moveMirror(ports, DAY)
    const old = await commit(quiet)
    let isFirst = true
    let newest: LogEntry | undefined
    beforeWrite = async () => {
      if (!isFirst) return
      isFirst = false
      // While the slow one is about to write what it has read, another commits and moves the mirror.
      newest = await commit(quiet)
      await moveMirror(ports, DAY)
      expect(shown().batchId).toBe(newest.batchId)
    }
    await moveMirror(ports, DAY)
    expect(newest?.batchId).not.toBe(old.batchId)
    expect(shown()).toMatchObject({ batchId: newest?.batchId, number: '3' })
  })

  it('gives up on a metastore that somebody else keeps changing', async () => {
    await commit(quiet)
    await moveMirror(ports, DAY)
    const byHand = mirror.rows.get(MIRROR)?.get('["2001-06-30"]')
    const stubborn = { ...mirror, partition: async () => byHand && { ...byHand, parameters: {} } }
    await expect(moveMirror({ ...ports, mirror: stubborn }, DAY)).rejects.toMatchObject({ code: 'mirror-contended' })
  })

  it('that leaves the mirror as it is writes nothing', async () => {
    await commit(quiet)
    await moveMirror(ports, DAY)
    mirror.calls.length = 0
    await moveMirror(ports, DAY)
    expect(mirror.calls).toEqual(['table', 'partition'])
  })

  it('brings new columns to every partition', async () => {
    await commit(quiet)
    await commit(quiet, NEXT_DAY)
    await syncMirror(ports, USERS)
    await quiet.createTable(USERS, { ...SCHEMA, columns: [{ name: 'added', type: 'int64' }, ...SCHEMA.columns] })
    await commit(quiet)
    await moveMirror(ports, DAY)
    const columns = [
      { name: 'added', type: 'bigint' },
      { name: 'user_id', type: 'string' },
    ]
    expect(mirror.tables.get(MIRROR)?.storage.columns).toEqual(columns)
    for (const value of ['2001-06-30', '2001-07-01']) expect(shown(value).storage?.columns).toEqual(columns)
  })

  it('of another name than the keys say is left to a sync', async () => {
    await commit(quiet)
    await moveMirror(ports, DAY)
    await commit(quiet, { ...USERS, partition: 'all' })
    await expect(moveMirror(ports, { ...USERS, partition: 'all' })).rejects.toMatchObject({
      code: 'mirror-keys-differ',
    })
    expect(shown().number).toBe('1')
    const report = await syncMirror(ports, USERS, { mayRekey: true })
    expect(report?.left).toEqual([])
    expect(mirror.tables.get(MIRROR)?.partitionKeys).toEqual(['partition'])
    expect([...(mirror.rows.get(MIRROR)?.keys() ?? [])]).toEqual(['["all"]', '["date=2001-06-30"]'])
  })
})

describe('a sync', () => {
  it('of a table to which nothing was committed makes none', async () => {
    expect(await syncMirror(ports, USERS)).toMatchObject({ drift: [], left: [], partitions: 0 })
    expect(mirror.tables.size).toBe(0)
  })

  it('makes a table with its partitions, and finds nothing the next time', async () => {
    await commit(quiet)
    await commit(quiet, NEXT_DAY)
    const report = await syncMirror(ports, USERS)
    expect(report?.drift.map(({ partition, kind }) => [partition, kind])).toEqual([
      [null, 'missing'],
      ['date=2001-06-30', 'missing'],
      ['date=2001-07-01', 'missing'],
    ])
    expect(report?.left).toEqual([])
    expect((await syncMirror(ports, USERS))?.drift).toEqual([])
  })

  it('that is dry reports and writes nothing', async () => {
    await commit(quiet)
    const report = await syncMirror(ports, USERS, { isDryRun: true })
    expect(report?.left).toHaveLength(2)
    expect(report?.left).toEqual(report?.drift)
    expect(mirror.tables.size + mirror.rows.size).toBe(0)
    expect([...objects.objects.keys()].filter(key => key.startsWith('glue.'))).toEqual([])
  })

  it('takes no log number of the metastore for true', async () => {
    await commit(quiet)
    await syncMirror(ports, USERS)
    const row = mirror.rows.get(MIRROR)?.get('["2001-06-30"]')
    if (row === undefined) throw new Error('it is there')
    const parameters = { ...row.parameters, 'millrace.log-number': '999', 'added-by': 'a crawler' }
    mirror.rows.get(MIRROR)?.set('["2001-06-30"]', { ...row, parameters })
    const report = await syncMirror(ports, USERS)
    expect(report?.drift).toEqual([
      {
        partition: 'date=2001-06-30',
        kind: 'differs',
        differences: [{ field: 'millrace.log-number', mirror: '999', catalogue: '1' }],
      },
    ])
    expect(mirror.rows.get(MIRROR)?.get('["2001-06-30"]')?.parameters).toEqual({
      ...row.parameters,
      'added-by': 'a crawler',
    })
  })

  it('drops what the catalogue does not have', async () => {
    await commit(quiet)
    await syncMirror(ports, USERS)
    const rows = mirror.rows.get(MIRROR)
    const row = rows?.get('["2001-06-30"]')
    if (row === undefined) throw new Error('it is there')
    rows?.set('["1999-01-01"]', { ...row, values: ['1999-01-01'] })
    const report = await syncMirror(ports, USERS)
    expect(report?.drift).toEqual([{ partition: 'date=1999-01-01', kind: 'extra', differences: [] }])
    expect([...(rows?.keys() ?? [])]).toEqual(['["2001-06-30"]'])
  })

  it.each(['cold', 'purged'])('shows no engine a batch that is %s', async state => {
    const { batchId } = await commit(quiet)
    await syncMirror(ports, USERS)
    const item = [...store.items.values()].find(({ sk }) => sk.startsWith('batch#') && sk.endsWith(batchId))
    if (item === undefined) throw new Error('it is there')
    store.items.set(`${item.table}\u0000${item.sk}`, { ...item, attributes: { ...item.attributes, state } })
    expect((await syncMirror(ports, USERS))?.drift).toMatchObject([{ kind: 'extra' }])
    expect(mirror.rows.get(MIRROR)?.size).toBe(0)
  })

  it('lists the parts of a batch again where the list is gone', async () => {
    await commit(quiet)
    await syncMirror(ports, USERS)
    const key = [...objects.objects.keys()].find(name => name.startsWith('glue.symlinks/')) ?? ''
    const text = objects.objects.get(key)
    objects.objects.delete(key)
    expect((await syncMirror(ports, USERS))?.drift).toMatchObject([{ kind: 'unlisted' }])
    expect(objects.objects.get(key)).toEqual(text)
  })

  it('leaves a table alone that is of another catalogue, or of another table of this one', async () => {
    await commit(quiet)
    await syncMirror(ports, USERS)
    const other = { ...ports, options: { ...OPTIONS, catalogName: 'shop-prod-catalog' } }
    mirror.calls.length = 0
    await expect(syncMirror(other, USERS, { mayRekey: true })).rejects.toMatchObject({ code: 'mirror-name-taken' })
    expect(mirror.calls).toEqual(['table'])
  })
})

describe('an observed store', () => {
  it('tells of each log entry and of nothing else, of several that are created as one, too', async () => {
    const told: string[] = []
    const observed = observedCatalogStore(store, async ({ db, table, partition }) => {
      told.push(`${db}.${table}/${partition}`)
    })
    const item = (sk: string, token = 't') => ({ table: 'shop.users', sk, attributes: { token } })
    await observed.create(item('batch#day=1#x'))
    await observed.create(item('log#day=1#000000001'))
    await observed.createAll([item('log#day=2#000000001'), item('batch#day=2#x'), item('log#day=3/h=1#000000001')])
    expect(told).toEqual(['shop.users/day=1', 'shop.users/day=2', 'shop.users/day=3/h=1'])
    expect(await observed.createAll([item('log#day=2#000000001')])).toBe('exists')
    // Taken by another, then by this very write, whose answer was lost.
    expect(await observed.create(item('log#day=1#000000001', 'other'))).toBe('exists')
    expect(told).toHaveLength(3)
    expect(await observed.create(item('log#day=1#000000001'))).toBe('exists')
    expect(told).toHaveLength(4)
  })
})
