// `millrace plan`: what would happen if this folder were deployed, before it is: features that come, go and wait, models that would be
// refused, bytes and dollars, and what new contracts would refuse of yesterday's events. Nothing is written.
import type { Connection } from '../compose/connect.ts'
import { modelRegistry } from '../model/registry.ts'
import { papersBefore } from '../model/stand-ins.ts'
import { compilePipeline, type CompiledPipeline } from '../predictions/compile-pipeline.ts'
import { type Definitions, describePipeline } from '../predictions/definitions.ts'
import { diffDefinitions } from '../predictions/definitions-diff.ts'
import { currentDefinitions, type FoundDefinitions } from '../predictions/definitions-table.ts'
import { definitionTooBig } from '../recompute/definition-too-big.ts'
import { estimateItem } from '../recompute/estimate-item.ts'
import { type ChangePlan, planChange } from '../replay/plan-change.ts'
import { isMisfitOfEither, type ProductionArtifact } from '../replay/plan-models.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { CommandError } from './errors.ts'
import { loadPipeline } from './load-pipeline.ts'
import { type EventsSource, eventsSource, type TriedEvents, tryEvents } from './plan-events.ts'
import { planLines } from './plan-text.ts'
import { parseShare } from './refused-text.ts'
import { stageOf } from './stage.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const EVENTS_PER_DAY_MAX = 1000

export const command: Command = {
  name: 'plan',
  summary: 'Show what a deploy of this folder would change, and whether it would break something.',
  positionals: [],
  options: {
    offline: { type: 'boolean', description: 'Look at this folder alone: bytes, dollars and the limit of an item.' },
    events: {
      type: 'string',
      value: 'DAY|FILE|none',
      description: 'Try changed contracts on a day of the archive (2026-01-02) or on a file. Default: yesterday, UTC.',
    },
    'allow-refused': {
      type: 'string',
      value: 'SHARE',
      default: '0',
      description: 'Exit with 0 up to this share of events that would be refused and were not, such as 0.01.',
    },
    'events-per-day': {
      type: 'string',
      value: 'N',
      description: 'Of each type, of the typical user whose item is estimated. Default: 1.',
    },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const source = eventsSource(args.text('events'), context.clock())
    const allowedShare = parseShare(args.text('allow-refused') ?? '0')
    const eventsPerDay = args.wholeNumber('events-per-day', { min: 1, max: EVENTS_PER_DAY_MAX }) ?? 1
    const asked = { source, allowedShare, eventsPerDay }
    if (args.flag('offline'))
      return plan(context, args, { ...asked, compiled: compilePipeline(await loadPipeline(context.cwd)) })
    await withConnection(context, args, (connection, pipeline) =>
      plan(context, args, { ...asked, compiled: compilePipeline(pipeline), connection }),
    )
  },
}

interface Asked {
  readonly source: EventsSource
  readonly allowedShare: number
  readonly eventsPerDay: number
  readonly compiled: CompiledPipeline
  /** Undefined with --offline. */
  readonly connection?: Connection
}

async function plan(context: CommandContext, args: CommandArguments, asked: Asked): Promise<void> {
  const { compiled, connection, allowedShare, eventsPerDay } = asked
  const { name } = compiled.pipeline
  const stage = connection === undefined ? null : stageOf(args, name)
  const deployed =
    stage === null || connection === undefined ? undefined : await currentDefinitions(connection.catalog, name, stage)
  const events = await tried(context, asked, deployed)
  const estimate = estimateItem(compiled, { eventsPerDay })
  const production = connection === undefined ? undefined : await artifacts(connection, compiled, deployed?.definitions)
  const change = planChange({ compiled, deployed, estimate, production, events, allowedShare })
  context.result(planJson(stage, deployed, { plan: change, events }), () =>
    planLines({ pipeline: name, stage, deployed, plan: change, events }),
  )
  if (change.breaks.length > 0) throw wouldBreak(change)
}

/** A day of the archive only where the contracts have changed: the same ones refuse what they refused. */
async function tried(
  context: CommandContext,
  { source, compiled, connection }: Asked,
  deployed: FoundDefinitions | undefined,
): Promise<TriedEvents | undefined> {
  const { name } = compiled.pipeline
  if (source.kind === 'day') {
    if (deployed === undefined) return undefined
    const { contracts } = diffDefinitions(deployed.definitions, describePipeline(compiled))
    const isOtherPath = deployed.definitions.typePath !== compiled.pipeline.typePath
    const isChanged = isOtherPath || contracts.changed.length + contracts.dropped.length > 0
    if (!isChanged) return undefined
  }
  return tryEvents(source, { context, deployed: deployed?.definitions, now: compiled.contracts, connection, db: name })
}

async function artifacts(
  { catalog }: Connection,
  compiled: CompiledPipeline,
  deployed: Definitions | undefined,
): Promise<ReadonlyMap<string, ProductionArtifact>> {
  const registry = modelRegistry(catalog)
  const found = new Map<string, ProductionArtifact>()
  for (const { name } of compiled.pipeline.models) {
    const current = await registry.currentArtifact(name)
    if (current === undefined) continue
    const { manifest } = current.artifact
    const earlier = isMisfitOfEither(compiled, deployed, manifest) ? await papersBefore(registry, name) : []
    found.set(name, { batchId: current.batchId, manifest, earlier })
  }
  return found
}

function planJson(
  stage: string | null,
  deployed: FoundDefinitions | undefined,
  {
    plan: { diff, readiness, models, bytes, breaks },
    events,
  }: { readonly plan: ChangePlan; readonly events: TriedEvents | undefined },
): object {
  const batch = deployed === undefined ? null : { ...deployed.entry, release: deployed.release }
  return {
    stage,
    deployed: batch,
    ...diff,
    readiness: Object.fromEntries(readiness),
    models,
    events: events ?? null,
    bytes,
    breaks,
  }
}

function wouldBreak({ bytes, breaks }: ChangePlan): Error {
  const tooBig = definitionTooBig(bytes.after)
  if (tooBig !== undefined && breaks.length === 1) return tooBig
  return new CommandError(`A deploy of this folder would break something: ${breaks.join('; ')}`, {
    code: 'plan-breaks',
    next: tooBig?.next ?? 'docs/evolution.md says how each kind of change is made without a gap.',
  })
}
