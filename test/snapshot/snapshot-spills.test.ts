import { expect, it } from 'vitest'
import { catalog } from '../../src/catalog/catalog.ts'
import { loadRows } from '../../src/catalog/table-rows.ts'
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
  const rows: unknown[] = []
  for await (const row of loadRows(own, report)) rows.push(row)
  const next = { status: 'ok', batchId: 'b2', inputs: '0123456789ab', value: longValue(1) }
  expect(rows).toMatchObject([{ user_id: 'ana', predictions: { next } }])
  expect(JSON.stringify(rows)).not.toContain('spilled')
  expect(run.objects.calls.get).toBe(get)
})
