// Batches by a model whose answers are too long for an item, over a store of objects that counts.
import type { PredictionValue } from '../../src/predictions/spill.ts'
import type { Predictor } from '../../src/predictions/predictor.ts'
import type { RecomputeDependencies } from '../../src/recompute/recompute-batch.ts'
import { type SpillStore, spillStore } from '../../src/store/spill-store.ts'
import {
  memoryObjectStore,
  type MemoryObjectStore,
  type MemoryObjectStoreOptions,
} from '../fakes/memory-object-store.ts'
import { type Harness, harness } from './harness.ts'

export const TEST_KEY = 'ab'.repeat(32)
const CLASSES = 600

/** Some 12 KB, or with fewer classes less, another one for each number. */
export function longValue(number: number, classes = CLASSES): PredictionValue {
  const scores = Array.from({ length: classes }, (_, index) => [`class-${index}`, number + index / 1000] as const)
  return { best: `class-${number}`, scores: Object.fromEntries(scores) }
}

/** As `countingPredictor`, and beside the number a long value of it, by the model `next`. */
export function longPredictor(valueOf: (orders: number) => PredictionValue = longValue): Predictor {
  const predictor: Predictor = {
    pinned: async () => predictor,
    predict: async bodies =>
      bodies.map(({ asOf, values }) => {
        const orders = Number(values['orders30d'])
        const [churn, next] = [{ orders }, valueOf(orders)]
        return {
          predictions: {
            asOf,
            models: {
              churn: { status: 'ok', batchId: 'b1', value: churn },
              next: { status: 'ok', batchId: 'b2', inputs: '0123456789ab', value: next },
            },
          },
          models: { churn: 'b1', next: 'b2' },
        }
      }),
    production: async () => ({ churn: 'b1', next: 'b2' }),
  }
  return predictor
}

export interface SpillHarness extends Harness {
  readonly objects: MemoryObjectStore
  readonly spills: SpillStore
}

export function spillHarness(
  overrides: Partial<RecomputeDependencies> = {},
  options: MemoryObjectStoreOptions = {},
): SpillHarness {
  const objects = memoryObjectStore(options)
  const spills = spillStore({ objects, newKey: () => TEST_KEY })
  const run = harness({ predictor: longPredictor(), spills, ...overrides })
  return { ...run, objects, spills }
}

export function spilledKeys({ objects }: Pick<SpillHarness, 'objects'>): string[] {
  return [...objects.objects.keys()].filter(key => key.startsWith('spill/')).sort()
}
