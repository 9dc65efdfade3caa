// A folder for a test's files, and small makers of outcomes and predictions.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Outcome } from '../../src/performance/outcomes.ts'
import type { StoredPrediction } from '../../src/performance/snapshot-predictions.ts'

export async function inSpoolDir<T>(use: (spoolDir: string) => Promise<T>): Promise<T> {
  const spoolDir = mkdtempSync(join(tmpdir(), 'performance-'))
  try {
    return await use(spoolDir)
  } finally {
    rmSync(spoolDir, { recursive: true })
  }
}

export async function* each<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}

export async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export function outcome(userId: string, time: number, label = 1): Outcome {
  return { userId, time, label, weight: 1 }
}

export function stored(userId: string, at: number, value: number | undefined = 0.5, batchId = 'b1'): StoredPrediction {
  return { userId, at, batchId, value, isGone: false }
}
