// Everything that changes what readers get leaves who, when and why, and comes back in one order.
import { beforeEach, expect, test } from 'vitest'
import { readAudit } from '../../src/catalog/audit.ts'
import { setRetention } from '../../src/catalog/retention.ts'
import { runRetention } from '../../src/catalog/run-retention.ts'
import { DAY_MS } from '../../src/platform/duration.ts'
import { DAY, PLAIN, REASON, USERS } from './factories.ts'
import { type MaintenanceWorld, newMaintenanceWorld, NEXT } from './maintenance-world.ts'

const ORDERS = { db: 'shop', table: 'orders' }

let world: MaintenanceWorld
beforeEach(async () => {
  world = await newMaintenanceWorld()
})

const by = (who: string) => ({ who, why: `${who} did` })

test('of commits, promotions, anchors, releases, rollbacks, yanks, policies and purges', async () => {
  const [first, second] = [await world.add(DAY.partition, 'a'), await world.add(DAY.partition, 'b')]
  await world.catalog.promote(DAY, NEXT, { batchId: first, ...by('promoter') })
  await world.catalog.anchor(DAY, { anchor: 'report', batchId: first, ...by('reader') })
  await world.catalog.anchor(DAY, { anchor: 'kept', batchId: second, ...by('keeper') })
  await world.catalog.release(DAY, { anchor: 'report', ...by('releaser') })
  await world.catalog.rollback(DAY, { to: first, ...by('roller') })
  await world.catalog.rollback(DAY, { to: second, ...by('roller') })
  await world.catalog.promote(DAY, NEXT, { batchId: second, ...by('promoter') })
  await world.catalog.yank(USERS, { batchId: first, ...by('yanker') })
  await setRetention(world, USERS, { keepBatches: 1, keepMs: DAY_MS, ...by('planner') })
  world.pass(2 * DAY_MS)
  const policy = { keepBatches: 1, keepMs: DAY_MS }
  await runRetention(world, USERS, { policy, ...by('ops'), pinnedBy: [], isDryRun: false })
  const entries = await readAudit(world.store, [USERS])
  expect(entries.map(({ kind, partition, batchId, about, who }) => [kind, partition, batchId, about, who])).toEqual([
    ['commit', DAY.partition, first, '1', 'ana'],
    ['commit', DAY.partition, second, '2', 'ana'],
    ['promote', NEXT.partition, first, '1', 'promoter'],
    ['anchor', DAY.partition, first, 'report', 'reader'],
    ['anchor', DAY.partition, second, 'kept', 'keeper'],
    ['release', DAY.partition, first, 'report', 'releaser'],
    ['rollback', DAY.partition, first, '3', 'roller'],
    ['rollback', DAY.partition, second, '4', 'roller'],
    ['promote', NEXT.partition, second, '2', 'promoter'],
    ['yank', null, first, null, 'yanker'],
    ['retention', null, null, 'the newest 1 and what was current in the last 1d of each partition', 'planner'],
    ['purge', DAY.partition, first, null, 'ops'],
  ])
  expect(entries.every(({ table }) => table === 'shop.users')).toBe(true)
  expect(entries.map(({ at }) => at)).toEqual(entries.map(({ at }) => at).toSorted((a, b) => a - b))
})

test('of several tables in one order, from one instant to another', async () => {
  await world.catalog.createTable(ORDERS, PLAIN)
  await world.add(DAY.partition, 'a')
  await world.catalog.store({ ...ORDERS, partition: 'all' }, { parts: [], ...REASON })
  await world.add(DAY.partition, 'b')
  const all = await readAudit(world.store, [USERS, ORDERS])
  expect(all.map(({ table }) => table)).toEqual(['shop.users', 'shop.orders', 'shop.users'])
  const [from, to] = [all[1]?.at, all[2]?.at]
  expect(await readAudit(world.store, [USERS, ORDERS], { sinceMs: from })).toEqual(all.slice(1))
  expect(await readAudit(world.store, [USERS, ORDERS], { untilMs: (to ?? 0) - 1 })).toEqual(all.slice(0, 2))
})
