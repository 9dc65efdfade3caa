// What the simulated team has deployed: the code of yesterday and that of today, which differ in features and so in states, and a
// model whose versions answer with a number that tells which version it was and what went in.
import { event } from '../../src/event/contract.ts'
import { choice, flag, number } from '../../src/event/field.ts'
import { count, last, max, mean, ratio, recency, sum } from '../../src/features/aggregates.ts'
import { features } from '../../src/features/define.ts'
import { distinct, lastK, streak } from '../../src/features/parametric-aggregates.ts'
import { model } from '../../src/model/define.ts'
import type { Duration } from '../../src/platform/duration.ts'
import { type CompiledPipeline, compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { pipeline } from '../../src/predictions/pipeline.ts'

/** By name, with inputs. Of the second one the older code knows neither the model nor the input: it waits for a backfill. */
export const MODEL_INPUTS: Readonly<Record<string, readonly string[]>> = {
  churn: ['orders2h', 'spendEver'],
  lift: ['apps1d', 'spendEver'],
}
export const LATENESSES = ['5m', '1h', '6h'] as const satisfies readonly Duration[]

export interface Deployed {
  readonly before: CompiledPipeline
  readonly after: CompiledPipeline
}

const compiled = new Map<Duration, Deployed>()

export function deployedWith(lateness: Duration): Deployed {
  const known = compiled.get(lateness) ?? define(lateness)
  compiled.set(lateness, known)
  return known
}

function define(lateness: Duration): Deployed {
  const order = event('order.placed', {
    id: 'orderId',
    user: 'customer.id',
    time: 'placedAt',
    lateness,
    fields: { amount: number({ scale: 2 }), channel: choice('web', 'app'), gift: flag() },
    owner: 'ana',
  })
  const visit = event('site.visited', {
    id: 'visitId',
    user: 'customer',
    time: { path: 'at', unit: 'ms' },
    lateness,
    fields: { seconds: number() },
  })
  const common = {
    orders2h: count(order, { within: '2h' }),
    orders30m: count(order, { within: '30m' }),
    spendEver: sum(order, 'amount'),
    spend1d: sum(order, 'amount', { within: '1d' }),
    longest: max(visit, 'seconds', { within: '1d' }),
    meanSeconds: mean(visit, 'seconds'),
    lastChannel: last(order, 'channel'),
    sinceOrder: recency(order, { roundTo: '5m' }),
    giftShare: ratio(count(order, { within: '7d', where: { gift: true } }), count(order, { within: '7d' })),
    hours: streak(order, { every: '1h' }),
  }
  const shop = { name: 'shop', events: [order, visit] }
  const added = {
    lastAmounts: lastK(order, 'amount', { k: 3 }),
    apps1d: count(order, { within: '1d', where: { channel: 'app' } }),
  }
  const churn = model('churn', { from: features(common), inputs: ['orders2h', 'spendEver'], owner: 'ana' })
  const all = features({ ...common, ...added })
  const lift = model('lift', { from: all, inputs: ['apps1d', 'spendEver'], owner: 'ana' })
  return {
    before: compilePipeline(
      pipeline({ ...shop, models: [churn], features: features({ ...common, channels: distinct(order, 'channel') }) }),
    ),
    after: compilePipeline(
      pipeline({
        ...shop,
        models: [churn, lift],
        features: all,
      }),
    ),
  }
}
