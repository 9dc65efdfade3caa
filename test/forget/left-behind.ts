// What a shop leaves behind beside its events: what did not go well, and tables of the team.
import { closeRecords } from '../../src/archive/closed-letters.ts'
import { writeDoubt } from '../../src/archive/doubt.ts'
import { runRetention } from '../../src/catalog/run-retention.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { HOUR_MS } from '../../src/platform/duration.ts'
import { keepCorrupt } from '../../src/replay/repair-keep.ts'
import { isCorrupt } from '../../src/store/user-item.ts'
import { failureObject, GIVEN_UP_KEY } from '../archive/factories.ts'
import { orderRecord, rawRecord } from '../recompute/harness.ts'
import { ERIN, type ForgetWorld, REASON } from './forget-world.ts'

/** What did not go well, of her and of others. */
export async function leaveAside(world: ForgetWorld, from: number): Promise<void> {
  const at = world.time.nowMs
  const arriving = (record: StreamRecord): StreamRecord => ({ ...record, arrivalMs: at })
  const bad = [
    arriving(rawRecord('no json at all', from, ERIN)),
    arriving(rawRecord(JSON.stringify({ type: 'unknown', who: ERIN }), from + 1, 'user-1')),
    arriving({ ...orderRecord('mis', from + 2, { user: ERIN, ts: at - 1000 }), partitionKey: 'user-2' }),
    arriving(rawRecord('nor is this', from + 3, 'user-3')),
  ]
  await world.send(bad)
  await closeRecords(world.archive.store, 'closed', { records: bad.slice(0, 1), by: 'test' })
  const given = [
    orderRecord('g1', from + 4, { user: ERIN, ts: at }),
    orderRecord('g2', from + 5, { user: 'user-4', ts: at }),
  ]
  await world.send(given)
  await world.archive.store.create(GIVEN_UP_KEY, failureObject(given))
  await writeDoubt(
    world.archive.store,
    [ERIN, 'user-5'].map((userId, index) => ({
      record: orderRecord(`d${index}`, from + 6 + index, { user: userId }),
      event: {
        userId,
        type: 'order.placed',
        id: 'd',
        idHash: '00'.repeat(8),
        ts: at,
        fields: new Map(),
        unknownFields: 0,
      },
    })),
  )
  for (const userId of [ERIN, 'user-0']) {
    const corrupt = await world.users.load(userId)
    if (corrupt === undefined || isCorrupt(corrupt)) throw new Error(`no item of ${userId}`)
    await keepCorrupt(world.archive.store, { corrupt, problem: 'st: damaged', who: 'ana', atMs: at, version: 9 })
  }
  const step = { after: ERIN, isDone: false, counts: {}, token: 't' }
  await world.archive.store.create(
    'rescore/churn/b/after-1/000000001/000000000/000000001',
    Buffer.from(JSON.stringify(step)),
  )
}

/** One in each format, an overwritten batch and one that a retention has purged. The overwritten one. */
export async function teamTables(
  { catalog: own, objects, time, store }: ForgetWorld,
  names: readonly string[],
): Promise<string> {
  const scores = { db: 'shop', table: 'training_churn', partition: 'all' }
  const columns = [
    { name: 'user_id', type: 'string' },
    { name: 'score', type: 'double' },
    { name: 'friends', type: 'list<string>' },
  ] as const
  await own.createTable(scores, { columns, format: 'parquet', owner: 'shop' })
  const rows = names.map((user, index) => ({ user_id: user, score: index, friends: [`f${index}`] }))
  const overwritten = await storeRows(own, scores, { rows, ...REASON })
  time.nowMs += 1000
  await storeRows(own, scores, { rows: rows.map(row => ({ ...row, score: 1 })), partRowsMax: 9, ...REASON })
  for (const format of ['ndjson.gz', 'csv.gz']) {
    const log = { db: 'team', table: `log_${format.slice(0, 3)}`, partition: 'day=1' }
    await own.createTable(log, {
      columns: [
        { name: 'who', type: 'string' },
        { name: 'says', type: 'int64' },
      ],
      format,
      owner: 'team',
    })
    await storeRows(own, log, { rows: names.map((who, says) => ({ who, says })), ...REASON })
  }
  // One that a retention has let go of, of which the bucket keeps versions.
  await storeRows(own, { ...scores, partition: 'a' }, { rows, ...REASON })
  await storeRows(own, { ...scores, partition: 'a' }, { rows: [], ...REASON })
  const ports = {
    store,
    clock: () => time.nowMs++,
    objects: objects.store,
    remover: objects.remover,
    writeReceipt: async () => undefined,
  }
  time.nowMs += HOUR_MS
  const policy = { keepMs: 1000 }
  const gone = await runRetention(ports, scores, { policy, pinnedBy: [], isDryRun: false, batchesMax: 1, ...REASON })
  if (gone.purged.length !== 1) throw new Error('a retention lets go of one batch')
  return overwritten.batchId
}
