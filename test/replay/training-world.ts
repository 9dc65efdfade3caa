// A stream as it really comes (late, out of order, repeated, refused), the items that recompute made of it at every moment, and
// training sets made from the archive of the same records.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { History } from '../../src/archive/history.ts'
import type { Column, Row } from '../../src/catalog/columns.ts'
import { loadRows } from '../../src/catalog/table-rows.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import type { FeatureSet } from '../../src/features/feature.ts'
import { type CompiledPipeline, compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { recordKey } from '../../src/replay/counted-events.ts'
import type { Label } from '../../src/replay/training-labels.ts'
import { makeTrainingSet, type TrainingSetOptions, type TrainingSetReport } from '../../src/replay/training-set.ts'
import type { StoredItem } from '../../src/store/user-item.ts'
import { catalogWorld } from '../catalog/factories.ts'
import { contracts, START } from '../features/arbitrary-events.ts'
import { harness, rawRecord, stored } from '../recompute/harness.ts'

export const USERS = ['ana', 'ben', 'cy'] as const
const [HOUR, DAY] = [3_600_000, 86_400_000]

/** Of the stream, in order of arrival. */
export const arrivals: fc.Arbitrary<readonly StreamRecord[]> = fc
  .array(
    fc.record({
      user: fc.constantFrom(...USERS),
      type: fc.constantFrom(...contracts.map(({ type }) => type)),
      /** Few, so that ids repeat. */
      id: fc.nat(30),
      gapMs: fc.oneof(fc.nat(3), fc.nat(2 * HOUR), fc.nat(3 * DAY)),
      lateMs: fc.oneof(
        fc.integer({ min: -200_000, max: 0 }),
        fc.nat(1000),
        fc.nat(HOUR),
        fc.nat(2 * DAY),
        fc.nat(40 * DAY),
      ),
      cents: fc.integer({ min: -500, max: 100_000 }),
      points: fc.option(fc.integer({ min: -20, max: 2000 })),
      weight: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
      note: fc.option(fc.constantFrom('a', 'b', '', '1', '__proto__', '😀')),
      channel: fc.constantFrom('web', 'app', 'shop'),
      gift: fc.boolean(),
      isBroken: fc.boolean(),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map(list => {
    let arrivalMs = START + 50 * DAY
    const times = new Map<string, string>()
    return list.map(({ user, gapMs, lateMs, cents, isBroken, ...event }, index) => {
      arrivalMs += gapMs
      // An id stands for one event, and an event has one time; the rest may have been corrected.
      const key = `${user} ${event.type} ${event.id}`
      const at = times.get(key) ?? new Date(arrivalMs - lateMs).toISOString()
      times.set(key, at)
      const payload = { ...event, user, at, id: String(event.id), cents: cents / 100 }
      const isRefused = isBroken && index % 5 === 4
      return rawRecord(isRefused ? { ...payload, gift: 'perhaps' } : payload, index + 1, user, arrivalMs)
    })
  })

export interface Streamed {
  /** Of records with an open dead letter. */
  readonly openLetters: ReadonlySet<string>
  /** The user's item as it was at an instant, when all that had arrived was folded. */
  readonly itemAt: (userId: string, instantMs: number) => StoredItem | undefined
}

/** One batch a record, as the stream brought them. */
export async function streamed(compiled: CompiledPipeline, records: readonly StreamRecord[]): Promise<Streamed> {
  const run = harness({ compiled })
  const items: { readonly arrivalMs: number; readonly item: StoredItem }[] = []
  for (const record of records) {
    const puts = run.users.counters.puts
    await run.deliver([record])
    if (run.users.counters.puts === puts) continue
    items.push({ arrivalMs: record.arrivalMs, item: await stored(run, record.partitionKey) })
  }
  return {
    openLetters: new Set(run.deadLetters.map(({ record }) => recordKey(record))),
    itemAt: (userId, instantMs) =>
      items.findLast(({ arrivalMs, item }) => arrivalMs <= instantMs && item.userId === userId)?.item,
  }
}

export function compiledOf(features: FeatureSet): CompiledPipeline {
  return compilePipeline(pipeline({ name: 'shop', events: contracts, features, models: [] }))
}

export interface MadeSet {
  readonly report: TrainingSetReport
  /** In the order of the labels. */
  readonly rows: readonly Row[]
  readonly inStoredOrder: readonly Row[]
  /** SHA-256 of each part, in order. */
  readonly parts: readonly string[]
  readonly properties: Readonly<Record<string, unknown>>
}

type Optional = Partial<Omit<TrainingSetOptions, 'compiled' | 'openHistory' | 'openLetters'>>
interface Given extends Optional {
  readonly compiled: CompiledPipeline
  readonly history: History
  readonly openLetters?: ReadonlySet<string>
}

export async function trainingSet(
  labels: readonly Label[],
  { history, openLetters: letters = new Set(), ...options }: Given,
  carried: readonly Column[] = [],
): Promise<MadeSet> {
  const spoolDir = mkdtempSync(join(tmpdir(), 'training-set-'))
  const { catalog } = catalogWorld()
  try {
    const report = await makeTrainingSet(
      { rows: each(labels), carried: () => carried },
      {
        catalog,
        openHistory: async () => history,
        openLetters: async () => letters,
        name: 'default',
        known: 'arrival',
        openedMs: START + 4000 * DAY,
        who: 'ana',
        why: 'test',
        ...options,
        spoolDir,
      },
    )
    const batch = await catalog.load(report.ref)
    const rows: Row[] = []
    for await (const row of loadRows(catalog, report.ref)) rows.push(row)
    return {
      report,
      inStoredOrder: rows,
      rows: rows.toSorted((a, b) => Number(a['label_row']) - Number(b['label_row'])),
      parts: batch.manifest.parts.map(({ sha256 }) => sha256),
      properties: batch.manifest.properties ?? {},
    }
  } finally {
    rmSync(spoolDir, { recursive: true })
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

/** Only the features of a row, as text: equal texts are equal bytes. */
export function featuresOf(row: Row | undefined, names: Iterable<string>): string {
  return JSON.stringify(Object.fromEntries(Array.from(names, name => [name, row?.[name]])))
}
