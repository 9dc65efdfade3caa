// Which aggregator a definition's state is kept by.
import type { AggregateFeature } from '../feature.ts'
import { stateName } from '../describe.ts'
import type { Aggregator } from './aggregator.ts'
import { distinctAggregator } from './distinct.ts'
import { edgeAggregator } from './edge-events.ts'
import { groupedAggregator } from './grouped.ts'
import {
  countAggregator,
  histogramAggregator,
  maxAggregator,
  meanAggregator,
  minAggregator,
  momentsAggregator,
  sumAggregator,
} from './number-aggregators.ts'
import { quantileAggregator } from './quantile-sketch.ts'
import { runsAggregator } from './runs.ts'

export function aggregatorOf(feature: AggregateFeature): Aggregator {
  const { by, event } = feature
  const inner = ungrouped(feature)
  if (by === undefined) return inner
  const field = event.fields[by.field]
  return groupedAggregator(inner, { ...by, scale: field?.kind === 'number' ? field.scale : undefined })
}

/** Slots of the cell of one group. */
export function groupWidthOf(feature: AggregateFeature): number {
  return ungrouped(feature).width
}

function ungrouped(feature: AggregateFeature): Aggregator {
  const isScaled = feature.scale !== undefined
  const parameters = feature.stateParameters
  switch (stateName(feature)) {
    case 'count':
      return countAggregator
    case 'sum':
      return sumAggregator(isScaled)
    case 'mean':
      return meanAggregator(isScaled)
    case 'moments':
      return momentsAggregator(isScaled)
    case 'min':
      return minAggregator
    case 'max':
      return maxAggregator
    case 'oldest':
      return edgeAggregator('oldest', Number(parameters['k'] ?? 1))
    case 'newest':
      return edgeAggregator('newest', Number(parameters['k'] ?? 1))
    case 'distinct':
      return distinctAggregator(Number(parameters['exactTo']))
    case 'quantiles':
      return quantileAggregator(Number(parameters['error']), Number(parameters['binsMax']))
    case 'histogram':
      return histogramAggregator((parameters['bounds'] ?? []) as readonly number[])
    case 'runs':
      return runsAggregator(Number(parameters['everyMs']), Number(parameters['periodsMax']))
  }
}
