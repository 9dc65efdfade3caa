import { describe, expect, it, vi } from 'vitest'
import { reportDrift } from '../../src/compose/report-drift.ts'
import type { ColumnDrift, ModelDrift } from '../../src/snapshot/drift.ts'
import { createTelemetry } from '../../src/compose/telemetry.ts'
import { recordingTelemetry } from './recording.ts'

const column = (psi: number | null): ColumnDrift => ({
  name: 'amount',
  psi,
  reading: psi === null ? 'unknown' : 'steady',
  missingShare: 0,
  missingShareInTraining: 0,
  mean: null,
  meanInTraining: null,
  counted: 10,
})
const drift: ModelDrift = {
  model: 'churn',
  batchId: 'v1',
  owner: 'ana',
  inputs: [column(0.3), column(null)],
  outputs: [column(null)],
  inputPsi: 0.3,
  outputPsi: null,
}

describe('reportDrift', () => {
  it('has the model and its owner as dimensions; what is unknown is counted and is no value', () => {
    const telemetry = recordingTelemetry()
    reportDrift([drift], telemetry)
    expect(Object.fromEntries(telemetry.counts)).toEqual({ 'inputDrift{churn,ana}': 0.3, 'driftUnknown{churn,ana}': 2 })
  })

  it('prints a drift of 0: nothing has moved is a reading too', () => {
    vi.stubEnv('POWERTOOLS_DEV', 'true')
    vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false')
    const lines: string[] = []
    vi.spyOn(console, 'log').mockImplementation((line: unknown) => void lines.push(String(line)))
    reportDrift([{ ...drift, inputs: [column(0)], outputs: [], inputPsi: 0 }], createTelemetry('shop', 'snapshot'))
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
    expect(lines.map(line => JSON.parse(line) as unknown)).toMatchObject([
      { function: 'snapshot', model: 'churn', owner: 'ana', inputDrift: 0 },
    ])
  })
})
