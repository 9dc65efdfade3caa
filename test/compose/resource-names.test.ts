import { describe, expect, it } from 'vitest'
import { LOCAL_ACCOUNT_ID, resourceNames, stageOfTable } from '../../src/compose/resource-names.ts'

describe('resourceNames', () => {
  it('makes them of the pipeline, the stage and, for buckets, the account', () => {
    expect(resourceNames({ pipeline: 'shop', stage: 'prod', accountId: '123456789012' })).toEqual({
      usersTable: 'shop-prod-users',
      catalogTable: 'shop-prod-catalog',
      archiveBucket: 'shop-prod-archive-123456789012',
      catalogBucket: 'shop-prod-catalog-123456789012',
      eventsStream: 'shop-prod-events',
    })
  })

  it('takes what fits into the 63 characters of a bucket name, and no more', () => {
    const longest = { pipeline: 'p'.repeat(32), stage: 's'.repeat(9), accountId: LOCAL_ACCOUNT_ID }
    expect(resourceNames(longest).catalogBucket.length).toBe(63)
    expect(() => resourceNames({ ...longest, stage: 's'.repeat(10) })).toThrow(
      expect.objectContaining({ code: 'resource-name-invalid' }),
    )
  })

  it.each(['Shop', 'shop_1', '', '1shop', 'shop.'])('refuses the stage "%s", which no bucket may have', stage => {
    expect(() => resourceNames({ pipeline: 'shop', stage, accountId: LOCAL_ACCOUNT_ID })).toThrow(
      expect.objectContaining({ code: 'resource-name-invalid' }),
    )
  })

  it('finds the stage in the name of a table that is called by its rule, and in no other', () => {
    for (const stage of ['dev', 'live-2']) {
      const { catalogTable } = resourceNames({ pipeline: 'shop', stage, accountId: LOCAL_ACCOUNT_ID })
      expect(stageOfTable('shop', catalogTable)).toBe(stage)
    }
    for (const table of ['shop-catalog', 'shop-dev-users', 'other-dev-catalog', 'shop-Dev-catalog', '']) {
      expect(stageOfTable('shop', table)).toBeUndefined()
    }
  })
})
