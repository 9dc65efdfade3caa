// The function invokes itself, and does not wait: Lambda queues the event, and runs it again twice where it fails.
import { InvokeCommand, LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda'
import { SnapshotError } from './errors.ts'
import type { WorkEvent } from './snapshot-events.ts'

export function lambdaWake(config: LambdaClientConfig, functionName: string): (event: WorkEvent) => Promise<void> {
  const client = new LambdaClient(config)
  return async event => {
    try {
      const Payload = Buffer.from(JSON.stringify(event))
      await client.send(new InvokeCommand({ FunctionName: functionName, InvocationType: 'Event', Payload }))
    } catch (error) {
      throw new SnapshotError(`No worker could be invoked for segment ${event.segment} of ${event.partition}`, {
        code: 'snapshot-not-woken',
        retriable: true,
        next: 'The run is taken up within the hour; millrace snapshot run --resume does it now.',
        partition: event.partition,
        run: event.run,
        cause: error,
      })
    }
  }
}
