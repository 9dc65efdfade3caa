// A customer with a few orders over two days and a model with two versions, the second from noon of the second day on; explained
// by fakes of everything but history, features and the item.
import type { LogEntry } from '../../src/catalog/items.ts'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import { model } from '../../src/model/define.ts'
import type { PapersAt } from '../../src/model/stand-ins.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { definedFeatures } from '../../src/predictions/defined-features.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'
import type { PinnedPredictor } from '../../src/predictions/predictor.ts'
import { type Explanation, type ExplainOptions, explainUser } from '../../src/replay/explain-user.ts'
import { memoryHistory } from '../fakes/memory-history.ts'
import { customer, order, START, visit } from '../features/factories.ts'
import { manifestOf } from '../model/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { inFolder, type VerifyWorld, verifyWorld } from './verify-world.ts'

const HOUR = 3_600_000

export const churn = model('churn', { from: customer, inputs: ['orders30d', 'spend90d', 'sinceOrder'], owner: 'ana' })
export const team = pipeline({ name: 'shop', events: [order, visit], features: customer, models: [churn] })
export const hour = (hours: number): number => START + hours * HOUR

/** Orders of ana at hours 1, 2, 3, 25 and 40, each a minute later in the stream. */
export async function fewOrders(): Promise<VerifyWorld> {
  const world = verifyWorld(undefined, team)
  const hours = [1, 2, 3, 25, 40]
  const records = hours.map((at, index) => ({
    ...orderRecord(index, index + 1, { ts: hour(at), amount: 10 * (index + 1) }),
    arrivalMs: hour(at) + 60_000,
  }))
  for (const record of records) await world.deliver([record])
  return world
}

export async function explain(world: VerifyWorld, changes: Partial<ExplainOptions> = {}): Promise<Explanation> {
  return inFolder(spoolDir =>
    explainUser({
      compiled: compilePipeline(team),
      users: world.users,
      archive: world.archive,
      catalog: { history: async () => VERSIONS },
      openHistory: async () => memoryHistory(world.archived, world.imports),
      predictWith: async versions => byVersion(versions),
      spoolDir,
      userId: 'ana',
      nowMs: hour(41),
      atMs: undefined,
      sinceMs: undefined,
      ...changes,
    }),
  )
}

export const entry = (number: number, batchId: string, at: number): LogEntry => {
  return { number, kind: 'commit', batchId, at, who: 'ana', why: 'trained', token: '' }
}

/** Versions and whether they fit the definitions; those that are not named are yanked or damaged. */
export function papersOf(fits: Readonly<Record<string, boolean>>): PapersAt {
  const compiled = compilePipeline(team)
  const defined = definedFeatures(compiled)
  return async (_name, batchId) => {
    const isFitting = fits[batchId]
    if (isFitting === undefined) return undefined
    const inputs = churn.inputs.map(name => ({
      name,
      fingerprint: isFitting ? (defined.get(name)?.fingerprint ?? '') : '0'.repeat(64),
      type: 'number' as const,
      missing: 'nan' as const,
    }))
    return manifestOf(new Uint8Array(), { inputs })
  }
}

/** Newest first, as a catalogue says it. */
export const VERSIONS = [entry(2, 'b2', hour(36)), entry(1, 'b1', hour(0))]

/** Version b1 says the orders of 30 days, as what wrote the items did; b2 adds a hundredth of what was spent. */
function byVersion(versions: Readonly<Record<string, string>>): PinnedPredictor {
  return {
    predict: async bodies => bodies.map(body => predicted(body, versions['churn'])),
  }
}

function predicted({ asOf, values }: FeaturesBody, batchId: string | undefined) {
  if (batchId === undefined) return { models: {}, predictions: { asOf, models: {} } }
  const orders = Number(values['orders30d']) + (batchId === 'b2' ? Number(values['spend90d']) / 100 : 0)
  return {
    models: { churn: batchId },
    predictions: { asOf, models: { churn: { status: 'ok', batchId, value: { orders } } as const } },
  }
}
