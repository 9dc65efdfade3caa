import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { foldFirstItems } from '../../src/replay/fold-first-items.ts'
import { memoryUserStore } from '../fakes/memory-user-store.ts'
import { START } from '../features/factories.ts'
import { countingPredictor, orderRecord, shop } from '../recompute/harness.ts'

it("keeps a user's events together, also where as many users are folded as fit into one run", async () => {
  const spoolDir = mkdtempSync(join(tmpdir(), 'fold-first-items-'))
  const lines = Array.from({ length: 1002 }, (_, index) => {
    const record = orderRecord(index, 1, { user: `user-${index % 501}`, ts: START + index })
    return Buffer.from(record.dataBase64, 'base64')
  })
  async function* bucket() {
    yield* lines
  }
  const users = memoryUserStore()
  const runs: number[] = []
  const options = {
    compiled: compilePipeline(shop),
    users,
    predictor: countingPredictor(runs),
    batchId: 'one',
    spoolDir,
  }
  expect(await foldFirstItems([bucket()], options)).toEqual({
    users: 501,
    usersWritten: 501,
    usersExisting: 0,
    usersTooBig: 0,
    folded: 1002,
    duplicates: 0,
  })
  expect(runs).toEqual([500, 1])
  rmSync(spoolDir, { recursive: true })
})
