import { describe, expect, it } from 'vitest'
import { DAY_MS } from '../../src/platform/duration.ts'
import type { ObjectInfo } from '../../src/platform/object-store.ts'
import { SPILL_GRACE_MS } from '../../src/replay/sweep-spills.ts'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { orderRecord, stored } from '../recompute/harness.ts'
import { spilledKeys } from '../recompute/spill-harness.ts'
import { namedBy, START_MS, twoUsers, world } from './sweep-world.ts'

describe('a sweep', () => {
  it('removes what is old and named by no item, after a receipt', async () => {
    const run = await twoUsers()
    run.nowMs += SPILL_GRACE_MS
    const report = await run.sweep()
    expect(report).toMatchObject({ objects: 3, young: 0, named: 2, unknown: 0, left: 0, removed: 1, returned: 0 })
    expect(report.removedBytes).toBeGreaterThan(1000)
    expect(spilledKeys(run)).toEqual([await namedBy(run, 'ana'), await namedBy(run, 'bob')].sort())
    expect(run.receipts).toEqual([{ keys: [expect.stringMatching(/^spill\//)], there: 3 }])
    expect(run.objects.objects.has('spill-key.json')).toBe(true)
    expect(await run.sweep()).toMatchObject({ objects: 2, removed: 0 })
    expect(run.receipts).toHaveLength(1)
  })

  it('changes nothing in a dry run, and says the same', async () => {
    const run = await twoUsers()
    run.nowMs += SPILL_GRACE_MS
    const dry = await run.sweep({ isDryRun: true })
    expect(spilledKeys(run)).toHaveLength(3)
    expect(run.receipts).toEqual([])
    expect(await run.sweep()).toEqual(dry)
  })

  it('leaves what is within the grace, and then scans nobody', async () => {
    const run = await twoUsers()
    run.nowMs += SPILL_GRACE_MS - 1
    expect(await run.sweep()).toMatchObject({ young: 3, removed: 0 })
    expect(run.users.counters.scanPages).toBe(0)
  })

  it('leaves the object of a writer that has not put its item yet', async () => {
    const run = world()
    run.nowMs += 100 * DAY_MS
    let sweeping: Promise<unknown> | undefined
    run.users.fault = ({ operation }) => {
      if (operation === 'put') sweeping ??= run.sweep()
      return undefined
    }
    await run.deliver([orderRecord(1, 1)])
    expect(await sweeping).toMatchObject({ young: 1, removed: 0 })
    expect(run.objects.objects.has(await namedBy(run, 'ana'))).toBe(true)
  })

  it('removes nothing without its receipt', async () => {
    const run = await twoUsers()
    run.nowMs += SPILL_GRACE_MS
    const writeReceipt = () => Promise.reject(new Error('no catalogue'))
    await expect(run.sweep({}, { writeReceipt })).rejects.toThrow('no catalogue')
    expect(spilledKeys(run)).toHaveLength(3)
  })

  it.each(['before the last look', 'after the last look, and before it is gone', 'after it is gone'])(
    'keeps a value that its user comes back to %s',
    async when => {
      const run = await twoUsers()
      run.nowMs += SPILL_GRACE_MS
      const comeBack = () => run.deliver([orderRecord(4, 4)])
      let removals = 0
      const remove = async (key: string) => {
        removals++
        if (when.startsWith('after the last')) await comeBack()
        run.objects.objects.delete(key)
        if (when === 'after it is gone') await comeBack()
      }
      const writeReceipt = async () => {
        if (when.startsWith('before')) await comeBack()
      }
      const report = await run.sweep({}, { writeReceipt, remover: { remove } })
      expect(report).toMatchObject({ removed: 0, returned: 1 })
      // Seen in time, it is not even away for a moment.
      expect(removals).toBe(when.startsWith('before') ? 0 : 1)
      expect(run.objects.objects.has(await namedBy(run, 'ana'))).toBe(true)
    },
  )

  it('leaves the bucket of an item that cannot be read', async () => {
    const run = await twoUsers()
    run.nowMs += SPILL_GRACE_MS
    const item = await stored(run, 'ana')
    run.users.plant(toAttributes({ ...item, pr: item.pr.subarray(1) }))
    expect(await run.sweep()).toMatchObject({ named: 1, unknown: 2, removed: 0 })
    expect(spilledKeys(run)).toHaveLength(3)
  })

  it('removes what is left of users that are gone, and what another key has named', async () => {
    const run = await twoUsers()
    const other = `spill/00/${'0'.repeat(64)}/${'1'.repeat(64)}`
    await run.objects.create(other, Buffer.from('x'))
    run.nowMs += SPILL_GRACE_MS
    expect(await run.sweep()).toMatchObject({ removed: 2 })
    expect(run.objects.objects.has(other)).toBe(false)
  })

  it('takes as many as it has room for, and the next run the rest', async () => {
    const run = await twoUsers()
    const others = Array.from({ length: 5 }, (_, index) => `spill/00/${'0'.repeat(64)}/${index}`)
    for (const key of others) await run.objects.create(key, Buffer.from('x'))
    run.nowMs += SPILL_GRACE_MS
    expect(await run.sweep({ candidatesMax: 4 })).toMatchObject({ objects: 8, left: 4 })
    expect(await run.sweep()).toMatchObject({ left: 0 })
    expect(spilledKeys(run)).toEqual([await namedBy(run, 'ana'), await namedBy(run, 'bob')].sort())
  })

  it('hands the receipt what there was: key, bytes, when it was made', async () => {
    const run = await twoUsers()
    const infos: ObjectInfo[] = []
    run.nowMs += SPILL_GRACE_MS
    await run.sweep({}, { writeReceipt: async objects => void infos.push(...objects) })
    expect(infos).toEqual([{ key: expect.any(String), bytes: expect.any(Number), createdMs: START_MS }])
  })
})
