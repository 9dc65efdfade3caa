import { describe, expect, it } from 'vitest'
import { CatalogError } from '../../src/catalog/errors.ts'
import { describeSync, syncFailure, type SyncOutcome } from '../../src/cli/table-sync-text.ts'

const moved = {
  partition: 'day=2001-06-30',
  kind: 'differs',
  differences: [{ field: 'location', mirror: 's3://b/old/', catalogue: 's3://b/new/' }],
} as const
const lost = { partition: null, kind: 'missing', differences: [] } as const
const users = { table: 'shop.users', database: 'shop_dev__shop', name: 'users', partitions: 3 }
const nothing: SyncOutcome = { reports: [], skipped: [], failed: [] }
const taken = new CatalogError('The table is of somebody else', { code: 'mirror-name-taken', next: 'Drop it.' })

describe('what a sync says', () => {
  it('of a mirror that is right', () => {
    const outcome = { ...nothing, reports: [{ ...users, drift: [], left: [] }], skipped: ['shop.notes'] }
    expect(describeSync(outcome, false)).toEqual([
      'shop.users in shop_dev__shop.users: 3 partitions, nothing differs',
      'shop.notes: not Parquet, so it is not mirrored',
    ])
    expect(syncFailure(outcome)).toBeUndefined()
  })

  it('of what it has repaired, with both sides', () => {
    const outcome = { ...nothing, reports: [{ ...users, drift: [lost, moved], left: [] }] }
    expect(describeSync(outcome, false)).toEqual([
      'shop.users in shop_dev__shop.users: 3 partitions, 2 differences, repaired',
      '  the table: is not in the mirror',
      '  partition day=2001-06-30: differs',
      '    location: the mirror has s3://b/old/, the catalogue says s3://b/new/',
    ])
    expect(syncFailure(outcome)).toBeUndefined()
  })

  it('of what is left, and fails for it', () => {
    const outcome = { ...nothing, reports: [{ ...users, drift: [lost, moved], left: [moved] }] }
    expect(describeSync(outcome, false)).toHaveLength(3)
    expect(describeSync(outcome, false)[0]).toContain('2 differences, 1 left')
    expect(syncFailure(outcome)).toMatchObject({ code: 'mirror-differs', message: expect.stringContaining('1 places') })
  })

  it('of a dry run, which leaves all', () => {
    const outcome = { ...nothing, reports: [{ ...users, drift: [lost], left: [lost] }] }
    expect(describeSync(outcome, true)[0]).toContain('1 differences')
    expect(syncFailure(outcome)).toMatchObject({ next: expect.stringContaining('without --dry-run') })
  })

  it('of tables that cannot be mirrored, and fails for them', () => {
    const outcome = { ...nothing, failed: [{ table: 'shop.users', error: taken }] }
    expect(describeSync(outcome, false)).toEqual(['shop.users: The table is of somebody else (mirror-name-taken)'])
    expect(syncFailure(outcome)).toMatchObject({ code: 'mirror-differs', next: 'Drop it.' })
  })

  it('of a catalogue with no table', () => {
    expect(describeSync(nothing, false)).toEqual(['The catalogue has no table.'])
    expect(syncFailure(nothing)).toBeUndefined()
  })
})
