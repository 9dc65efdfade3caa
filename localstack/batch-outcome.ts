// What a function's answer says about its batch (Lambda developer guide, "Configuring partial batch response with Kinesis").
// Where the guide is silent, the strict reading is taken: an answer that cannot be understood fails the whole batch.
import type { InvokeOutcome } from './invoke-outcome.ts'
import type { MappedRecord } from './mapped-record.ts'
import { isObject } from './resolve-intrinsics.ts'

export type BatchOutcome =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'retry'
      /** Index of the first record to be delivered again; those before it are done. */
      readonly from: number
      readonly isFunctionError: boolean
      readonly reason: string
    }

const DONE: BatchOutcome = { kind: 'done' }

export function batchOutcome(
  outcome: Exclude<InvokeOutcome, { readonly kind: 'not-invoked' }>,
  records: readonly Pick<MappedRecord, 'sequence'>[],
  { reportsBatchItemFailures }: { readonly reportsBatchItemFailures: boolean },
): BatchOutcome {
  if (outcome.kind !== 'returned') {
    return { kind: 'retry', from: 0, isFunctionError: true, reason: `${outcome.errorType}: ${outcome.errorMessage}` }
  }
  if (!reportsBatchItemFailures) return DONE
  const answer: unknown = JSON.parse(outcome.payload)
  if (answer === null || answer === '') return DONE
  if (!isObject(answer)) return wholeBatch('the answer is not an object')
  const failures = answer['batchItemFailures'] ?? []
  if (!Array.isArray(failures)) return wholeBatch('batchItemFailures is not a list')
  return failures.length === 0 ? DONE : fromLowest(failures, records)
}

/** Records are in stream order, so the lowest failed sequence is that of the first of them that failed. */
function fromLowest(failures: readonly unknown[], records: readonly Pick<MappedRecord, 'sequence'>[]): BatchOutcome {
  const indexes = new Map(records.map(({ sequence }, index) => [sequence, index]))
  let lowest = records.length
  for (const failure of failures) {
    const identifier = isObject(failure) ? failure['itemIdentifier'] : undefined
    if (typeof identifier !== 'string' || identifier === '') return wholeBatch('an item failure has no itemIdentifier')
    const index = indexes.get(identifier)
    if (index === undefined) return wholeBatch(`the batch has no record ${identifier}`)
    lowest = Math.min(lowest, index)
  }
  return { kind: 'retry', from: lowest, isFunctionError: false, reason: `${failures.length} item failures` }
}

function wholeBatch(reason: string): BatchOutcome {
  return { kind: 'retry', from: 0, isFunctionError: false, reason }
}
