// The artifact in the repo against the definitions in the repo: whoever changes a feature that it was trained on sees it here.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { InputRows, planModelInputs } from '../../src/model/model-inputs.ts'
import { readArtifact, readExtra } from '../../src/model/read-artifact.ts'
import pipeline from '../../src/pipeline/index.ts'
import { lateArrival } from '../../src/pipeline/models.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'

const FOLDER = join(import.meta.dirname, '..', '..', 'models', 'late-arrival')
const MODEL_BYTES_MAX = 1_000_000
const zip = readFileSync(join(FOLDER, 'late-arrival.zip'))
const ZIP_BYTES_MAX = 120_000
const artifact = readArtifact(zip)

const MORNING_ON_TIME = {
  arrivals6h: 1,
  arrivals1d: 8,
  arrivals7d: 55,
  arrivals30d: 240,
  lateShare6h: 0,
  lateShare1d: 0.1,
  lateShare30d: 0.15,
  meanDelay6h: -5,
  meanDelay1d: 1,
  meanDelay7d: 4,
  worstDelay1d: 20,
  bestDelay7d: -30,
  lateMinutes7d: 400,
  lastDelay: -5,
  lastHour: 6,
  lastWeekday: 2,
  distance: 1745,
  sinceArrival: 3600,
  sinceLate: 72_000,
}
const EVENING_IN_TROUBLE = {
  ...MORNING_ON_TIME,
  arrivals6h: 3,
  lateShare6h: 1,
  lateShare1d: 0.7,
  meanDelay6h: 80,
  meanDelay1d: 55,
  worstDelay1d: 150,
  lastDelay: 90,
  lastHour: 18,
  sinceLate: 3600,
}

describe('the artifact of late-arrival', () => {
  it('was trained on the features as they are defined now', () => {
    const features = definedFeatures(compilePipeline(pipeline))
    expect(planModelInputs(artifact.manifest, lateArrival.inputs, features)).toMatchObject({ kind: 'ready' })
    expect(artifact.manifest.inputs.map(input => input.name)).toEqual(lateArrival.inputs)
  })

  it('has papers of the present format: distributions of all that goes in and comes out, golden rows, and where it is from', () => {
    const { manifest, golden } = artifact
    expect(manifest.formatVersion).toBe(2)
    for (const { distribution } of manifest.inputs) expect(distribution?.count).toBe(manifest.trainingData.rows)
    expect(manifest.outputs[0]?.distribution?.count).toBeGreaterThan(10_000)
    expect(golden?.synthetic).toBe(true)
    expect(golden?.inputs.length).toBe(32)
    // One where nothing is known of the route.
    expect(golden?.inputs).toContainEqual(manifest.inputs.map(() => 'nan'))
    expect(manifest.commit).toMatch(/^[0-9a-f]{40}/)
    expect(manifest.hyperparameters).toMatchObject({ max_iter: 200, learning_rate: 0.08 })
  })

  it('can be trained again by the scripts that are in it, which are those of the repo', () => {
    expect(artifact.manifest.reproduce?.command).toEqual(['python3', 'train.py', '{data}'])
    const extra = readExtra(zip)
    expect([...extra.keys()].sort()).toEqual(['late_arrival.py', 'requirements.txt', 'train.py'])
    for (const [name, bytes] of extra) {
      expect(Buffer.from(bytes).equals(readFileSync(join(FOLDER, name))), `${name} has changed: run train.sh`).toBe(
        true,
      )
    }
  })

  it('is small, and beats both baselines in both test months', () => {
    expect(artifact.model.byteLength).toBeLessThan(MODEL_BYTES_MAX)
    expect(zip.byteLength).toBeLessThan(ZIP_BYTES_MAX)
    const { auc } = JSON.parse(readFileSync(join(FOLDER, 'metrics.json'), 'utf8')) as {
      readonly auc: Readonly<Record<string, Readonly<Record<string, number>>>>
    }
    expect(Object.keys(auc)).toEqual(['2001-05', '2001-06'])
    for (const month of Object.values(auc)) {
      expect(month['globalRate']).toBe(0.5)
      expect(month['model']).toBeGreaterThan((month['routeRate'] ?? 1) + 0.1)
    }
    const said = artifact.manifest.performance.filter(({ metric }) => metric === 'auc').map(({ value }) => value)
    expect(said).toEqual(Object.values(auc).map(month => month['model']))
  })

  it('expects an evening of late flights to go on, and says nothing strange where all is missing', async () => {
    const session = await openOnnxSession(artifact, '20260131180000-aaaaaaaa')
    const { inputs } = artifact.manifest
    const nothing = Object.fromEntries(inputs.map(({ name }) => [name, null]))
    const users = [MORNING_ON_TIME, EVENING_IN_TROUBLE, nothing]
    const rows = new InputRows(inputs, users.length)
    for (const values of users) expect(rows.add({ values })).toBeUndefined()
    const { outputs, refusals } = await session.run(rows.table())
    const [calm = 1, troubled = 0, unknown = -1] = (outputs[0] as Float64Array | undefined) ?? []
    expect(calm).toBeLessThan(0.15)
    expect(troubled).toBeGreaterThan(0.5)
    expect(unknown).toBeGreaterThan(0)
    expect(unknown).toBeLessThan(1)
    expect(refusals.size).toBe(0)
  })
})
