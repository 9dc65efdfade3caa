// What a consumer of the stream answers: nothing failed, or the lowest sequence from which Lambda is to deliver again.

export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[]
}

export function batchResponse(failedSequence: string | undefined): BatchResponse {
  return { batchItemFailures: failedSequence === undefined ? [] : [{ itemIdentifier: failedSequence }] }
}
