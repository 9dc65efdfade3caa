import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnType } from '../../src/catalog/columns.ts'
import type { TableSchema } from '../../src/catalog/items.ts'
import {
  linksKey,
  linksText,
  mirrorName,
  mirrorType,
  partitionDifferences,
  partitionStyle,
  partitionText,
  partitionValues,
  plannedPartition,
  plannedTable,
  styleOf,
  tableDifferences,
} from '../../src/catalog/mirror-plan.ts'
import { DAY, PLAIN, USERS } from './factories.ts'

const OPTIONS = { databasePrefix: 'shop_dev__', catalogName: 'shop-dev-catalog', bucket: 'shop-dev-catalog-1' }
const SCHEMA: TableSchema = {
  columns: [
    { name: 'userId', type: 'string' },
    { name: 'scores', type: 'map<string,double>' },
  ],
  format: 'parquet',
  owner: 'ana',
  about: 'Users\n  of the shop.',
}
const BY_DATE = { keys: ['date'], isWhole: false }
const ENTRY = { number: 7, kind: 'commit', at: 1, who: 'ana', why: 'nightly', token: 't' } as const
const RECORD = {
  batchId: '20010630180000-00000000',
  location: 'shop/users/date=2001-06-30/20010630180000-00000000/',
  format: 'parquet',
  parts: 1,
  rows: 1,
  bytes: 1,
  manifestKey: 'm',
  manifestSha256: '0'.repeat(64),
  inputs: [],
  state: 'hot',
  at: 1,
  who: 'ana',
} as const
const TABLE = plannedTable(OPTIONS, USERS, SCHEMA, BY_DATE)
const PARTITION = plannedPartition(OPTIONS, TABLE, ['2001-06-30'], {
  entry: { ...ENTRY, batchId: RECORD.batchId },
  record: RECORD,
})

describe('names and types', () => {
  it('are folded to small letters, digits and _', () => {
    expect(mirrorName(OPTIONS, { db: 'web-shop', table: 'late-users' })).toEqual({
      database: 'shop_dev__web_shop',
      name: 'late_users',
    })
  })

  it.each<readonly [ColumnType, string]>([
    ['string', 'string'],
    ['int64', 'bigint'],
    ['double', 'double'],
    ['boolean', 'boolean'],
    ['timestamp', 'timestamp'],
    ['json', 'string'],
    ['list<int64>', 'array<bigint>'],
    ['list<json>', 'array<string>'],
    ['map<string,timestamp>', 'map<string,timestamp>'],
  ])('%s is %s', (type, mirrored) => {
    expect(mirrorType(type)).toBe(mirrored)
  })
})

describe('partitions', () => {
  it('are named by the declared keys, by those that all of them have, or by their whole name', () => {
    const declared = { ...PLAIN, partitionKeys: ['year', 'country'] }
    expect(partitionStyle(declared, [])).toEqual({ keys: ['year', 'country'], isWhole: false })
    expect(partitionStyle(PLAIN, ['day=1', 'day=2'])).toEqual({ keys: ['day'], isWhole: false })
    expect(partitionStyle(PLAIN, ['year=1/day=2'])).toEqual({ keys: ['year', 'day'], isWhole: false })
    const whole = { keys: ['partition'], isWhole: true }
    for (const names of [['all'], ['day=1', 'all'], ['day=1', 'hour=1'], ['day=1', 'day=1/hour=2'], ['day='], []]) {
      expect(partitionStyle(PLAIN, names)).toEqual(whole)
    }
    // Twice the same key, and one that no engine takes.
    expect(partitionStyle(PLAIN, ['day=1/day=2'])).toEqual(whole)
    expect(partitionStyle(PLAIN, ['Day=1'])).toEqual(whole)
  })

  it('never take the name of a column for the whole name', () => {
    const columns = [
      { name: 'Partition', type: 'string' },
      { name: 'partition_name', type: 'string' },
    ] as const
    expect(partitionStyle({ ...PLAIN, columns }, ['all']).keys).toEqual(['partition_name_name'])
  })

  it('have values that make their name again', () => {
    const segment = fc.tuple(fc.constantFrom('day', 'hour', 'country'), fc.stringMatching(/^[A-Za-z0-9=_.-]{1,12}$/))
    const name = fc
      .uniqueArray(segment, { minLength: 1, maxLength: 3, selector: ([key]) => key })
      .map(segments => segments.map(([key, value]) => `${key}=${value}`).join('/'))
    fc.assert(
      fc.property(fc.oneof(name, fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/)), partition => {
        const style = partitionStyle(PLAIN, [partition])
        const values = partitionValues(style, partition)
        expect(values).toHaveLength(style.keys.length)
        expect(partitionText(style, values ?? [])).toBe(partition)
      }),
    )
  })

  it('of other keys have none', () => {
    expect(partitionValues(BY_DATE, 'day=2001-06-30')).toBeUndefined()
    expect(partitionValues(BY_DATE, 'all')).toBeUndefined()
    expect(partitionValues(BY_DATE, 'date=1/hour=2')).toBeUndefined()
  })
})

describe('a planned table', () => {
  it('has folded columns, keys of text, one line about it, and says whose it is', () => {
    expect(TABLE).toMatchObject({
      description: 'Users of the shop.',
      partitionKeys: ['date'],
      storage: {
        location: 's3://shop-dev-catalog-1/glue.symlinks/shop/users/',
        columns: [
          { name: 'userid', type: 'string' },
          { name: 'scores', type: 'map<string,double>' },
        ],
      },
      parameters: { 'millrace.catalog': 'shop-dev-catalog', 'millrace.table': 'shop.users' },
    })
  })

  it('leaves a column to the key of its name', () => {
    const columns = [...SCHEMA.columns, { name: 'Date', type: 'string' } as const]
    expect(plannedTable(OPTIONS, USERS, { ...SCHEMA, columns }, BY_DATE).storage.columns).toEqual(TABLE.storage.columns)
  })

  it('keeps its style in what is written', () => {
    for (const style of [BY_DATE, { keys: ['partition'], isWhole: true }]) {
      expect(styleOf(plannedTable(OPTIONS, USERS, SCHEMA, style))).toEqual(style)
    }
  })
})

describe('a planned partition', () => {
  it('points to the list of its parts, and says which batch it is and where', () => {
    expect(PARTITION).toEqual({
      values: ['2001-06-30'],
      storage: { ...TABLE.storage, location: `s3://shop-dev-catalog-1/glue.symlinks/${RECORD.location}` },
      parameters: {
        'millrace.catalog': 'shop-dev-catalog',
        'millrace.batch-id': RECORD.batchId,
        'millrace.log-number': '7',
        'millrace.location': `s3://shop-dev-catalog-1/${RECORD.location}`,
      },
    })
  })

  it('has the list in a place where nothing else is', () => {
    expect(linksKey(RECORD)).toBe(`glue.symlinks/${DAY.db}/${DAY.table}/${DAY.partition}/${RECORD.batchId}/parts.txt`)
    const parts = [{ name: 'part-00000.parquet' }, { name: 'part-00001.parquet' }]
    expect(linksText('b', RECORD.location, parts)).toBe(
      `s3://b/${RECORD.location}part-00000.parquet\ns3://b/${RECORD.location}part-00001.parquet\n`,
    )
    expect(linksText('b', RECORD.location, [])).toBe('')
  })
})

describe('differences', () => {
  it('are none of what is as planned, whatever others have added', () => {
    const noted = { ...PARTITION, parameters: { ...PARTITION.parameters, numRows: '3' } }
    expect(partitionDifferences(PARTITION, noted)).toEqual([])
    // A location may be written without its slash.
    const location = PARTITION.storage.location.slice(0, -1)
    expect(partitionDifferences(PARTITION, { ...noted, storage: { ...noted.storage, location } })).toEqual([])
    expect(tableDifferences(TABLE, { ...TABLE, parameters: { ...TABLE.parameters, EXTRA: '1' } })).toEqual([])
  })

  it.each([
    ['location', { storage: { ...PARTITION.storage, location: 's3://elsewhere/' } }],
    ['columns', { storage: { ...PARTITION.storage, columns: TABLE.storage.columns.slice(1) } }],
    ['inputFormat', { storage: { ...PARTITION.storage, inputFormat: 'text' } }],
    ['outputFormat', { storage: { ...PARTITION.storage, outputFormat: 'text' } }],
    ['serde', { storage: { ...PARTITION.storage, serde: 'text' } }],
    ['millrace.log-number', { parameters: { ...PARTITION.parameters, 'millrace.log-number': '8' } }],
    ['millrace.batch-id', { parameters: { ...PARTITION.parameters, 'millrace.batch-id': 'other' } }],
  ])('of a partition are seen: %s', (field, change) => {
    expect(partitionDifferences(PARTITION, { ...PARTITION, ...change }).map(found => found.field)).toEqual([field])
  })

  it.each([
    ['partitionKeys', { partitionKeys: ['day'] }],
    ['description', { description: 'other' }],
    ['columns', { storage: { ...TABLE.storage, columns: [] } }],
    ['millrace.table', { parameters: { ...TABLE.parameters, 'millrace.table': 'shop.other' } }],
  ])('of a table are seen: %s', (field, change) => {
    expect(tableDifferences(TABLE, { ...TABLE, ...change }).map(found => found.field)).toEqual([field])
  })

  it('say what each side has', () => {
    const { storage, values } = PARTITION
    expect(partitionDifferences(PARTITION, { storage, values, parameters: {} })[1]).toEqual({
      field: 'millrace.batch-id',
      mirror: null,
      catalogue: RECORD.batchId,
    })
  })
})
