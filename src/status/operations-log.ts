// Who paused or resumed what, when and why: a table of the catalogue like any other, so that `millrace table history` shows it and
// nothing of it is ever lost. It is written before the switch, as an entry without effect does less harm than an effect without entry.
import type { Catalog } from '../catalog/catalog.ts'
import type { LogEntry } from '../catalog/items.ts'
import type { PartitionRef } from '../catalog/names.ts'

const OPERATIONS_DB = 'operations'
const PART_NAME = 'part-operation'
const ABOUT = 'Which functions were paused and resumed: who, when and why.'

export interface Operation {
  readonly pipeline: string
  readonly stage: string
  /** The function's short name. */
  readonly key: string
  readonly action: 'paused' | 'resumed'
  /** Ids of the event source mappings. */
  readonly mappings: readonly string[]
  readonly who: string
  readonly why: string
}

/** `operations.<pipeline>`, partition `<stage>.<function>`. */
export function operationsRef({ pipeline, stage, key }: Pick<Operation, 'pipeline' | 'stage' | 'key'>): PartitionRef {
  return { db: OPERATIONS_DB, table: pipeline, partition: `${stage}.${key}` }
}

/** Throws CatalogError, ObjectStoreError. */
export async function recordOperation(catalog: Catalog, operation: Operation): Promise<LogEntry> {
  const { action, key, mappings, who, why } = operation
  const ref = operationsRef(operation)
  await catalog.createTable(ref, { columns: [], format: 'json', owner: 'millrace', about: ABOUT })
  const body = Buffer.from(`${JSON.stringify({ action, function: key, mappings })}\n`)
  return catalog.store(ref, { parts: [{ name: PART_NAME, body, rows: 1 }], who, why: `${action}: ${why}` })
}

const PAUSED_PREFIX: `${Operation['action']}: ` = 'paused: '

/** Why it was paused, of the newest entry; undefined where that resumed it, so that somebody else has paused it since. */
export function pausedWhy({ why }: Pick<LogEntry, 'why'>): string | undefined {
  return why.startsWith(PAUSED_PREFIX) ? why.slice(PAUSED_PREFIX.length) : undefined
}
