// `npm run bench:features`: what features cost, for 20 and for 250 of them: bytes of items over all routes and as one user's events grow,
// the way from stored bytes to features, and each aggregate by itself. Apart from `npm run bench`, as it folds 1.5 million flights
// twice: it takes a minute or two. `--json` for machines.
import { parseArgs } from 'node:util'
import type { FeatureSet } from '../src/features/feature.ts'
import { ITEM_BYTES_MAX } from '../src/predictions/item-limits.ts'
import type { StoredItem } from '../src/store/user-item.ts'
import { allRoutes } from './arrivals.ts'
import { type AggregateFigures, aggregateCosts, type CostFigures } from './feature-costs.ts'
import {
  compiled,
  grownItems,
  itemOf,
  type SizeFigures,
  sizesOf,
  type TimeFigures,
  timesOf,
  typicalOf,
} from './feature-items.ts'
import { features20, features250 } from './feature-sets.ts'

interface SetFigures {
  readonly features: number
  readonly states: number
  /** Of all routes after 91 days. */
  readonly itemBytes: SizeFigures
  readonly itemBytesTarget: number
  /** Of one user with an event every 130 seconds. */
  readonly grown: readonly { readonly events: number; readonly itemBytes: number }[]
  readonly typical: TimeFigures
  readonly worst: TimeFigures
}

const SETS: readonly { readonly set: FeatureSet; readonly targetBytes: number }[] = [
  { set: features20, targetBytes: 4 * 1024 },
  { set: features250, targetBytes: 16 * 1024 },
]
const GROWTH = [1000, 10_000, 100_000, 1_000_000]

const sets = SETS.map(({ set, targetBytes }) => ({ plan: compiled(set), targetBytes, items: [] as StoredItem[] }))
for (const { userId, events } of await allRoutes()) {
  const own = events()
  for (const { plan, items } of sets) items.push(itemOf(plan, userId, own))
}
const figures = sets.map(({ plan, targetBytes, items }): SetFigures => {
  const grown = grownItems(plan, GROWTH)
  return {
    features: plan.features.features.length,
    states: plan.features.states.size,
    itemBytes: sizesOf(items),
    itemBytesTarget: targetBytes,
    grown: grown.map((item, index) => ({ events: GROWTH[index] ?? 0, itemBytes: sizesOf([item]).max })),
    typical: timesOf(plan, typicalOf(items)),
    worst: timesOf(plan, grown.slice(-1)),
  }
})
const aggregates = aggregateCosts()

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const lines = [...figures.flatMap(setLines), ...aggregateLines(aggregates)]
process.stdout.write(
  values.json ? `${JSON.stringify({ sets: figures, aggregates }, null, 2)}\n` : `${lines.join('\n')}\n`,
)

function setLines({ features, states, itemBytes, itemBytesTarget, grown, typical, worst }: SetFigures): string[] {
  const { users, p50, p99, max } = itemBytes
  const target = `${p99 <= itemBytesTarget ? 'within' : 'OVER'} the target of ${itemBytesTarget}`
  const steps = grown.map(step => `${step.events}: ${step.itemBytes}`).join(', ')
  const most = grown.at(-1)?.itemBytes ?? 0
  const limit = `${most <= ITEM_BYTES_MAX ? 'within' : 'OVER'} the limit of ${ITEM_BYTES_MAX}`
  return [
    `${features} features over ${states} states`,
    `  item bytes of ${users} routes: p50 ${p50}, p99 ${p99} (${target}), max ${max}`,
    `  item bytes after so many events of one user: ${steps} (${limit})`,
    `  stored bytes to features, typical: ${timesLine(typical)}`,
    `  stored bytes to features, worst:   ${timesLine(worst)}`,
    '',
  ]
}

function timesLine({ stateBytes, plainBytes, inflateUs, parseUs, evaluateUs, togetherUs }: TimeFigures): string {
  const us = (value: number): string => `${value.toFixed(0)} µs`
  return (
    `inflate ${us(inflateUs)}, parse ${us(parseUs)}, evaluate ${us(evaluateUs)}, together ${us(togetherUs)} ` +
    `(state ${stateBytes.toFixed(0)} bytes, plain ${plainBytes.toFixed(0)})`
  )
}

function aggregateLines(costs: readonly AggregateFigures[]): string[] {
  const cells = (cost: CostFigures | undefined): string =>
    cost === undefined
      ? ''
      : [cost.foldUs.toFixed(1), cost.evaluateUs.toFixed(0), cost.bytes.typical, cost.bytes.busy, cost.bytes.most]
          .map(cell => String(cell).padStart(9))
          .join('')
  const head = ['fold µs', 'eval µs', 'typical', 'bytes', 'most'].map(title => title.padStart(9)).join('')
  return [
    'one aggregate over 7 and 30 days, an event every 130 seconds; then the same by weekday. Bytes: with an event a day (typical),',
    'with one every 130 seconds, and the most there can be',
    `  ${'aggregate'.padEnd(11)}${head}  ${head}`,
    ...costs.map(({ aggregate, alone, byWeekday }) => `  ${aggregate.padEnd(11)}${cells(alone)}  ${cells(byWeekday)}`),
  ]
}
