import { describe, expect, it } from 'vitest'
import { count, last, mean, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import type { Feature } from '../../src/features/feature.ts'
import { distinct } from '../../src/features/parametric-aggregates.ts'
import { model } from '../../src/model/define.ts'
import { type CompiledPipeline, compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { describePipeline } from '../../src/predictions/definitions.ts'
import type { RecordedDefinitions } from '../../src/predictions/definitions-table.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { estimateItem } from '../../src/recompute/estimate-item.ts'
import { recordedBytes } from '../../src/recompute/record-deployed.ts'
import { type ChangeInput, planChange } from '../../src/replay/plan-change.ts'
import { isMisfitOfEither, type ProductionArtifact } from '../../src/replay/plan-models.ts'
import { order } from '../features/factories.ts'
import { manifestOf, onnxFile } from '../model/factories.ts'

type Set = Readonly<Record<string, Feature>>

const BASE: Set = {
  a: count(order, { within: '30d' }),
  b: sum(order, 'amount', { within: '7d' }),
  c: last(order, 'channel'),
}

function shop(set: Set, inputs: readonly string[] = ['a', 'b'], itemBytesMax = 65_536): CompiledPipeline {
  const customer = features(set)
  const models = inputs.length === 0 ? [] : [model('churn', { from: customer, inputs, owner: 'ana' })]
  return compilePipeline(pipeline({ name: 'shop', features: customer, models, itemBytesMax }))
}

function recorded(compiled: CompiledPipeline): RecordedDefinitions {
  return { definitions: describePipeline(compiled), release: '1.0.0', bytes: recordedBytes(estimateItem(compiled)) }
}

/** Trained on these definitions. */
function artifact(compiled: CompiledPipeline, inputs: readonly string[] = ['a', 'b']): ProductionArtifact {
  const defined = definedFeatures(compiled)
  const papers = inputs.map(name => ({
    name,
    fingerprint: defined.get(name)?.fingerprint ?? '',
    type: 'number' as const,
    missing: 'nan' as const,
  }))
  return { batchId: '20260102030405-abcdefgh', manifest: manifestOf(onnxFile('wide'), { inputs: papers }) }
}

function plan(compiled: CompiledPipeline, changes: Partial<ChangeInput> = {}) {
  return planChange({
    compiled,
    deployed: recorded(shop(BASE)),
    estimate: estimateItem(compiled),
    production: new Map([['churn', artifact(shop(BASE))]]),
    events: undefined,
    allowedShare: 0,
    ...changes,
  })
}

describe('a deploy', () => {
  it('of what is deployed changes and breaks nothing', () => {
    const { diff, readiness, models, bytes, breaks } = plan(shop(BASE))
    expect(Object.values(diff.features).flat()).toEqual([])
    expect(readiness.size).toBe(0)
    expect(models).toMatchObject([{ name: 'churn', status: 'serves' }])
    expect(bytes.before?.worst).toBe(bytes.after.worst.bytes)
    expect(bytes.worstWhileCarried).toBe(bytes.after.worst.bytes)
    expect(breaks).toEqual([])
  })

  it('tells features that are right at once from those that wait', () => {
    const shared = count(order, { within: '35d', where: {} })
    const added = { near: count(order, { within: '20d' }), wide: shared, fresh: mean(order, 'points') }
    const { readiness, breaks } = plan(shop({ ...BASE, ...added }))
    expect(Object.fromEntries([...readiness].map(([name, { kind }]) => [name, kind]))).toEqual({
      near: 'at-once',
      wide: 'backfill',
      fresh: 'backfill',
    })
    expect(breaks).toEqual([])
  })

  it('lets a model wait for an input that users have to get first', () => {
    const now = shop({ ...BASE, d: mean(order, 'points') }, ['a', 'd'])
    const { models, breaks } = plan(now, { production: new Map([['churn', artifact(now, ['a', 'd'])]]) })
    expect(models).toMatchObject([{ status: 'waits', waitsFor: ['d'] }])
    expect(breaks).toEqual([])
  })

  it('would break a model in production whose input is another feature, has another name or is gone', () => {
    const changed = plan(shop({ ...BASE, b: sum(order, 'amount', { within: '8d' }) }))
    expect(changed.models).toMatchObject([{ status: 'refused', isRefusedAlready: false }])
    expect(changed.breaks).toEqual(['the model churn would be refused: b was defined otherwise when it was trained'])
    const { b, ...others } = BASE
    const renamed = plan(shop({ ...others, spend: b as Feature }, ['a', 'spend']))
    expect(renamed.diff.features.renamed).toMatchObject([{ from: 'b', to: 'spend' }])
    expect(renamed.breaks).toEqual([expect.stringContaining('b is not an input of its definition')])
    expect(plan(shop(others, ['a'])).breaks.length).toBe(1)
  })

  describe('that a version in production does not fit', () => {
    const changed = shop({ ...BASE, b: sum(order, 'amount', { within: '8d' }) })
    const misfit = artifact(shop(BASE))
    const fitting = { ...artifact(changed), batchId: '20260101000000-fitting1' }
    const other = { ...artifact(shop({ ...BASE, a: count(order) })), batchId: '20260101000000-neither1' }
    const of = (...earlier: ProductionArtifact[]) => new Map([['churn', { ...misfit, earlier }]])

    it('lets the newest version before it that fits stand in, and says that this is a step back', () => {
      const older = { ...fitting, batchId: '20250101000000-fitting0' }
      const { models, breaks } = plan(changed, { production: of(other, fitting, older) })
      expect(models).toMatchObject([
        {
          status: 'stood-in',
          batchId: misfit.batchId,
          servedBy: fitting.batchId,
          servedByNow: misfit.batchId,
          isRefusedAlready: false,
          detail: 'b was defined otherwise when it was trained',
        },
      ])
      expect(breaks).toEqual([expect.stringContaining(`the model churn would go back to ${fitting.batchId}`)])
    })

    it('breaks nothing where that version stands in already, and would where it is another one or none', () => {
      const deployed = recorded(changed)
      const same = plan(changed, { deployed, production: of(other, fitting) })
      expect(same).toMatchObject({ models: [{ status: 'stood-in', isRefusedAlready: true }], breaks: [] })
      expect(same.models[0]?.servedByNow).toBe(fitting.batchId)
      const again = shop({ ...BASE, b: sum(order, 'amount', { within: '9d' }) })
      const another = plan(again, { deployed, production: of(fitting, { ...artifact(again), batchId: 'older' }) })
      expect(another).toMatchObject({ models: [{ servedBy: 'older', servedByNow: fitting.batchId }] })
      expect(another.breaks).toHaveLength(1)
      const none = plan(again, { deployed, production: of(fitting) })
      expect(none).toMatchObject({ models: [{ status: 'refused', servedBy: null, isRefusedAlready: true }] })
      expect(none.breaks).toEqual([expect.stringContaining('would be refused')])
    })

    it('says which users wait for an input', () => {
      const now = shop({ ...BASE, d: mean(order, 'points') }, ['a', 'd'])
      const production = of({ ...artifact(now, ['a', 'd']), batchId: 'earlier' })
      expect(plan(now, { production }).models).toMatchObject([
        { status: 'stood-in', servedBy: 'earlier', waitsFor: ['d'] },
      ])
    })

    it('may be the one that brings it back', () => {
      const { models, breaks } = plan(shop(BASE), { deployed: recorded(changed), production: of(fitting) })
      expect(models).toMatchObject([
        { status: 'serves', servedBy: misfit.batchId, servedByNow: fitting.batchId, isRefusedAlready: false },
      ])
      expect(breaks).toEqual([])
    })

    it('is looked for before it only where the folder or what is deployed refuses it', () => {
      const { definitions } = recorded(changed)
      const asked = [shop(BASE), changed].map(compiled =>
        [undefined, recorded(shop(BASE)).definitions, definitions].map(deployed =>
          isMisfitOfEither(compiled, deployed, misfit.manifest),
        ),
      )
      expect(asked).toEqual([
        [false, false, true],
        [true, true, true],
      ])
    })
  })

  it('breaks no model that is refused as it is, has no artifact or was not looked at', () => {
    const changed = shop({ ...BASE, b: sum(order, 'amount', { within: '8d' }) })
    const other = new Map([['churn', artifact(shop({ ...BASE, a: count(order) }))]])
    expect(plan(changed, { production: other })).toMatchObject({
      models: [{ status: 'refused', isRefusedAlready: true }],
      breaks: [],
    })
    expect(plan(changed, { production: new Map() }).models).toMatchObject([{ status: 'no-artifact' }])
    expect(plan(changed, { production: undefined }).models).toMatchObject([{ status: 'unknown' }])
  })

  it('breaks where a user may not fit, also for the days in which dropped states are carried', () => {
    const large = { ...BASE, d: distinct(order, 'amount', { within: '20d' }) }
    const { worst } = estimateItem(shop(large, []))
    expect(plan(shop(large, [], worst.bytes - 1)).breaks).toEqual([
      `a user's item may have ${worst.bytes} bytes, ${worst.bytes - 1} are allowed`,
    ])
    expect(plan(shop(large, [], worst.bytes)).breaks).toEqual([])

    const other = shop({ ...BASE, d: distinct(order, 'points', { within: '20d' }) }, [], worst.bytes + 100)
    const swapped = plan(other, { deployed: recorded(shop(large, [])) })
    expect(swapped.bytes.worstWhileCarried).toBeGreaterThan(1.5 * worst.bytes)
    expect(swapped.breaks).toEqual([expect.stringContaining('while dropped states are carried')])
  })

  it('breaks where more events than allowed would be refused that were not', () => {
    const events = { events: 1000, refusedBefore: 7, refusedNow: 16, newlyRefused: 10, newlyTaken: 1, reasons: [] }
    expect(plan(shop(BASE), { events }).breaks).toEqual(['10 of 1000 events would be refused that were not'])
    expect(plan(shop(BASE), { events, allowedShare: 0.01 }).breaks).toEqual([])
  })

  it('to a stage where nothing is recorded is all new, and right at once', () => {
    const { diff, readiness, bytes } = plan(shop(BASE), { deployed: undefined })
    expect(diff.features.added.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect([...readiness.values()]).toEqual([1, 2, 3].map(() => ({ kind: 'at-once' })))
    expect(bytes.before).toBeNull()
  })
})
