import { expect, it } from 'vitest'
import { catalog } from '../../src/catalog/catalog.ts'
import { loadRows } from '../../src/catalog/table-rows.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { longPredictor, longValue, spillHarness } from '../recompute/spill-harness.ts'

it('has the whole of a value that is too long for an item, and reads no object for it', async () => {
  const run = spillHarness()
  await run.deliver([orderRecord(1, 1)])
  const { get } = run.objects.calls
  const ports = { clock: () => START, random: seededRandom(3), sleep: async () => undefined }
  const own = catalog({ store: memoryCatalogStore(), objects: memoryObjectStore(), ...ports })
  const { compiled, users } = run.dependencies
  const report = await takeSnapshot(
    { compiled, users, predictor: longPredictor(), catalog: own },
    { instantMs: START, who: 'test', why: 'nightly' },
  )
  expect(report).toMatchObject({ users: 1, usersWithSpills: 1, spilledValues: 1 })
  const rows: unknown[] = []
  for await (const row of loadRows(own, report)) rows.push(row)
  const next = { status: 'ok', batchId: 'b2', inputs: '0123456789ab', value: longValue(1) }
  expect(rows).toMatchObject([{ user_id: 'ana', predictions: { next } }])
  expect(JSON.stringify(rows)).not.toContain('spilled')
  expect(run.objects.calls.get).toBe(get)
})

it('holds no more long values than it may, and has each user once all the same', async () => {
  const run = spillHarness()
  const users = Array.from({ length: 90 }, (_, index) => `user-${index}`)
  await run.deliver(users.map((user, index) => orderRecord(index, index + 1, { user })))
  const ports = { clock: () => START, random: seededRandom(3), sleep: async () => undefined }
  const own = catalog({ store: memoryCatalogStore(), objects: memoryObjectStore(), ...ports })
  const { compiled } = run.dependencies
  // One user a page.
  const one: typeof run.users.scan = async function* (...asked) {
    for await (const page of run.users.scan(...asked)) for (const item of page) yield [item]
  }
  const deps = { compiled, users: { ...run.users, scan: one }, predictor: longPredictor(), catalog: own }
  const request = { instantMs: START, who: 'test', why: 'nightly' }
  const whole = await takeSnapshot(deps, request)
  const small = await takeSnapshot(deps, { ...request, bounds: { bytesMax: 200_000 } })
  const partsOf = async (batchId: string) => (await own.load(small, batchId)).manifest.parts
  const [few, many] = [await partsOf(whole.entry.batchId), await partsOf(small.entry.batchId)]
  expect(few.length).toBe(new Set(users.map(userBucket)).size)
  expect(many.length).toBeGreaterThan(few.length)
  expect(Math.max(...many.map(({ rows }) => rows))).toBeLessThanOrEqual(Math.max(...few.map(({ rows }) => rows)))
  const found: string[] = []
  for await (const row of loadRows(own, small)) found.push(row['user_id'] as string)
  expect(found).toHaveLength(users.length)
  expect(new Set(found)).toEqual(new Set(users))
})
