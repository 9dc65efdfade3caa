// How far what models are asked and answer has moved since training, as metrics with the model's owner. What is unknown has no value: it
// is counted, and never 0.
import type { ModelDrift } from '../snapshot/drift.ts'
import type { Telemetry } from './telemetry.ts'

export function reportDrift(drift: readonly ModelDrift[], telemetry: Pick<Telemetry, 'count'>): void {
  for (const { model, owner, inputs, outputs, inputPsi, outputPsi } of drift) {
    const dimensions = { model, owner }
    if (inputPsi !== null) telemetry.count('inputDrift', inputPsi, dimensions)
    if (outputPsi !== null) telemetry.count('outputDrift', outputPsi, dimensions)
    const unknown = [...inputs, ...outputs].filter(({ reading }) => reading === 'unknown').length
    telemetry.count('driftUnknown', unknown, dimensions)
  }
}
