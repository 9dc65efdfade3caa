// Definitions in the catalogue: the table `definitions.<pipeline>`, a partition for each stage, a batch for each deploy that changed
// them, its one part the JSON. So history is that of any table, and what ran when can be told years later.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { PartitionRef } from '../catalog/names.ts'
import { MillraceError } from '../platform/errors.ts'
import { canonicalJson, type Json } from '../platform/canonical-json.ts'
import { DEFINITIONS_FORMAT_VERSION, type Definitions } from './definitions.ts'

export const DEFINITIONS_DB = 'definitions'
const PART_NAME = 'part-definitions'

/** What was estimated when they were recorded, bytes; by state: of the largest item. */
export interface RecordedBytes {
  readonly typical: number
  readonly worst: number
  readonly dollarsPerMillionEvents: number
  readonly states: Readonly<Record<string, number>>
}

export interface RecordedDefinitions {
  readonly definitions: Definitions
  /** Of Millrace; null where a function recorded them, which does not know it. */
  readonly release: string | null
  readonly bytes: RecordedBytes
}

export interface RecordInput {
  readonly stage: string
  readonly definitions: Definitions
  readonly release: string | null
  /** Asked only where a batch is written. */
  readonly bytes: () => RecordedBytes
  readonly who: string
  readonly why: string
}

export interface RecordOutcome {
  readonly outcome: 'recorded' | 'unchanged'
  /** The current one. */
  readonly entry: LogEntry
}

export interface FoundDefinitions extends RecordedDefinitions {
  readonly entry: LogEntry
}

export function definitionsRef(pipeline: string, stage: string): PartitionRef {
  return { db: DEFINITIONS_DB, table: pipeline, partition: stage }
}

/** A batch where they, or the release that is known, are not those of the current one. Throws CatalogError, ObjectStoreError. */
export async function recordDefinitions(catalog: Catalog, input: RecordInput): Promise<RecordOutcome> {
  const { stage, definitions, release, who, why } = input
  const ref = definitionsRef(definitions.pipeline, stage)
  const current = await currentDefinitions(catalog, definitions.pipeline, stage)
  if (current !== undefined && isSame(current, definitions) && (release ?? current.release) === current.release) {
    return { outcome: 'unchanged', entry: current.entry }
  }
  const recorded: RecordedDefinitions = { definitions, release, bytes: input.bytes() }
  const about = 'What is deployed: events, features, states and models, at each deploy that changed them.'
  await catalog.createTable(ref, { columns: [], format: 'json', owner: 'millrace', about })
  const body = Buffer.from(`${JSON.stringify(recorded, null, 1)}\n`)
  const entry = await catalog.store(ref, { parts: [{ name: PART_NAME, body, rows: 1 }], who, why })
  return { outcome: 'recorded', entry }
}

function isSame(current: RecordedDefinitions, definitions: Definitions): boolean {
  return canonicalJson(current.definitions as unknown as Json) === canonicalJson(definitions as unknown as Json)
}

/** Undefined where nothing was ever recorded. Throws CatalogError, ObjectStoreError, MillraceError `definitions-unreadable`. */
export async function currentDefinitions(
  catalog: Catalog,
  pipeline: string,
  stage: string,
): Promise<FoundDefinitions | undefined> {
  const entry = await catalog.current(definitionsRef(pipeline, stage))
  return entry === undefined ? undefined : loadDefinitions(catalog, definitionsRef(pipeline, stage), entry.batchId)
}

/** Throws CatalogError, ObjectStoreError, MillraceError `definitions-unreadable`. */
export async function loadDefinitions(catalog: Catalog, ref: PartitionRef, batchId: string): Promise<FoundDefinitions> {
  const batch = await catalog.load(ref, batchId)
  for await (const { body } of batch.parts()) {
    const recorded = JSON.parse(Buffer.from(body).toString('utf8')) as RecordedDefinitions
    if (recorded.definitions.formatVersion === DEFINITIONS_FORMAT_VERSION) return { ...recorded, entry: batch.entry }
  }
  throw new MillraceError(`This release cannot read the definitions ${batchId}`, {
    code: 'definitions-unreadable',
    next: 'Use the release of Millrace that recorded them, or a newer one.',
  })
}
