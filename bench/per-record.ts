// The handler that tutorials show, as good as it gets with their shape: for each record read the user, compute, infer, write.
// It uses our fold, codec and model, so that only the shape differs; and as in the tutorials nothing guards the write.
import { affectedUsers } from '../src/affected/affected-users.ts'
import type { StreamRecord } from '../src/event/stream-record.ts'
import type { CompiledPipeline } from '../src/predictions/compile-pipeline.ts'
import { type Predictor, predictOne } from '../src/predictions/predictor.ts'
import { encodeNext, readItem } from '../src/recompute/item-content.ts'
import { planUser } from '../src/recompute/plan-user.ts'
import { type StoredItem, isCorrupt } from '../src/store/user-item.ts'

export interface PerRecordDependencies {
  readonly compiled: CompiledPipeline
  readonly predictor: Predictor
  readonly load: (userId: string) => Promise<StoredItem | undefined>
  readonly put: (item: StoredItem) => Promise<void>
}

/** One record after the other: right, and slow. */
export async function perRecord(records: readonly StreamRecord[], deps: PerRecordDependencies): Promise<void> {
  for (const record of records) await handleRecord(record, deps)
}

/** All at once: fast, and wrong for every user with two events in the batch, who loses all but one of them. */
export async function perRecordAtOnce(records: readonly StreamRecord[], deps: PerRecordDependencies): Promise<void> {
  await Promise.all(records.map(record => handleRecord(record, deps)))
}

async function handleRecord(record: StreamRecord, deps: PerRecordDependencies): Promise<void> {
  for (const [userId, own] of affectedUsers([record], deps.compiled.contracts).byUser) {
    const stored = await deps.load(userId)
    const read = readItem(deps.compiled.features, stored !== undefined && isCorrupt(stored) ? undefined : stored)
    if (read.outcome === 'corrupt') throw new Error(read.detail)
    const { next } = planUser(deps.compiled, read.content, own)
    if (next === undefined) continue
    const { definitions } = deps.compiled
    const predicted = await predictOne(deps.predictor, next.features)
    const item = encodeNext({ userId, before: read.stored, next, definitions }, predicted)
    if ('reason' in item) throw new Error(item.detail)
    await deps.put(item)
  }
}
