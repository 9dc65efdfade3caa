// Which batch of each model a function has, as a metric: so that it is seen when a function goes on with another than is in production.
import { batchIdNumber } from '../catalog/batch-id.ts'
import type { Telemetry } from './telemetry.ts'

/** `models`, unchanged: model → batch ID. */
export function reportModels<Models extends Readonly<Record<string, string>>>(
  models: Models,
  telemetry: Pick<Telemetry, 'count'>,
): Models {
  for (const [model, batchId] of Object.entries(models)) {
    const value = batchIdNumber(batchId)
    if (value !== undefined) telemetry.count('modelBatch', value, { model })
  }
  return models
}
