// What operating a deployment needs besides its stores, on the real adapters. The command line's alone: no function has these clients in
// its bundle.
import { cloudWatchMetrics } from '../status/cloudwatch-metrics.ts'
import { lambdaFunctions } from '../status/lambda-api-functions.ts'
import type { DeployedFunctions, MetricReader } from '../status/ports.ts'
import { clientOptions } from './clients.ts'

export interface Operations {
  readonly functions: DeployedFunctions
  readonly metrics: MetricReader
  readonly close: () => void
}

export function connectOperations(env: Readonly<Record<string, string | undefined>>): Operations {
  const functions = lambdaFunctions(clientOptions(env))
  const metrics = cloudWatchMetrics(clientOptions(env))
  return {
    functions,
    metrics,
    close: () => {
      functions.close()
      metrics.close()
    },
  }
}
