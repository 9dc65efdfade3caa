// What is deployed, written down where whoever plans the next deploy finds it. The estimate of bytes is made only where there is
// something to write.
import type { Catalog } from '../catalog/catalog.ts'
import type { CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { describePipeline } from '../predictions/definitions.ts'
import { type RecordedBytes, recordDefinitions, type RecordOutcome } from '../predictions/definitions-table.ts'
import { estimateItem, type ItemEstimate } from './estimate-item.ts'

export interface DeployInput {
  readonly stage: string
  /** Of Millrace; null where it is not known. */
  readonly release: string | null
  readonly who: string
  readonly why: string
}

/** Throws CatalogError, ObjectStoreError. */
export function recordDeployed(
  catalog: Catalog,
  compiled: CompiledPipeline,
  input: DeployInput,
): Promise<RecordOutcome> {
  const bytes = (): RecordedBytes => recordedBytes(estimateItem(compiled))
  return recordDefinitions(catalog, { ...input, definitions: describePipeline(compiled), bytes })
}

export function recordedBytes({ typical, worst }: ItemEstimate): RecordedBytes {
  return {
    typical: typical.bytes,
    worst: worst.bytes,
    dollarsPerMillionEvents: typical.dollarsPerMillionEvents,
    states: Object.fromEntries(worst.states.map(({ key, bytes }) => [key, bytes])),
  }
}
