// One user of a pipeline in a test: feed events, move the clock, look at the features. What runs is what runs in the functions:
// the contract, the decision per event, the fold, the item's bytes, the evaluation of a GET. No cloud, no clock of the machine.
import { affectedUsers } from '../affected/affected-users.ts'
import type { Decision } from '../affected/decide.ts'
import type { EventContract } from '../event/contract.ts'
import type { Refusal } from '../event/decoded-event.ts'
import { parseRfc3339Ms } from '../event/event-time.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import type { FeaturesBody } from '../features/features-body.ts'
import type { FeatureSet, ValuesOf } from '../features/feature.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { type Duration, parseDurationMs } from '../platform/duration.ts'
import { type CompiledPipeline, compilePipeline } from '../predictions/compile-pipeline.ts'
import type { Prediction } from '../predictions/evaluated-user.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { predictOne } from '../predictions/predictor.ts'
import { encodeNext } from '../recompute/item-content.ts'
import { planItem } from '../recompute/write-user.ts'
import { featuresAt } from '../serve/evaluate-user.ts'
import { itemBytes } from '../store/item-size.ts'
import type { StoredItem } from '../store/user-item.ts'
import { type Artifacts, artifactPredictor } from './artifact-predictor.ts'
import { TestingError } from './errors.ts'
import { type FieldValues, upstreamJson } from './upstream-json.ts'

export type { FieldValues } from './upstream-json.ts'

export interface TestUserOptions {
  /** Where the test's clock starts, RFC 3339: '2026-01-01T00:00:00Z'. */
  readonly at: string
  /** `user-1` unless given. */
  readonly id?: string
  /** Model name → the bytes of its artifact; a model without one is `no-model`. */
  readonly models?: Artifacts
}

export interface ReceiveOptions {
  /** The event's id upstream; made up unless given. An id that came before is a duplicate. */
  readonly id?: string
  /** The event's time, RFC 3339; the test's clock unless given. */
  readonly at?: string
}

/** What became of an event. `late`: it came later than its `lateness` allows, is a dead letter, and is not in the features. */
export type EventOutcome = 'folded' | Exclude<Decision, 'fold'>

/** A user whose item does not exist yet. Throws DefinitionError, TestingError. */
export function userOf<Set extends FeatureSet>(pipeline: Pipeline<Set>, options: TestUserOptions): TestUser<Set> {
  const { at, id = 'user-1', models = {} } = options
  return new TestUser(pipeline, { id, models, nowMs: instantMs(at), item: undefined, records: 0 })
}

interface Standing {
  readonly id: string
  readonly models: Artifacts
  readonly nowMs: number
  readonly item: StoredItem | undefined
  /** That have come so far. */
  readonly records: number
}

export class TestUser<Set extends FeatureSet = FeatureSet> {
  readonly id: string
  readonly outcomes: Record<EventOutcome, number> = { folded: 0, duplicate: 0, late: 0, 'below-floor': 0 }
  readonly #compiled: CompiledPipeline
  readonly #models: Artifacts
  #nowMs: number
  #item: StoredItem | undefined
  #records: number

  constructor(pipeline: Pipeline<Set>, { id, models, nowMs, item, records }: Standing) {
    this.id = id
    this.#compiled = compilePipeline(pipeline)
    this.#models = models
    this.#nowMs = nowMs
    this.#item = item
    this.#records = records
  }

  /** The test's clock, RFC 3339. */
  get now(): string {
    return toRfc3339(this.#nowMs)
  }

  /** An event of this user, by plain field values. Throws TestingError where the pipeline would refuse it. */
  receives<E extends EventContract>(event: E, values: FieldValues<E>, options: ReceiveOptions = {}): EventOutcome {
    const { events, typePath } = this.#compiled.pipeline
    if (!events.includes(event)) {
      throw new TestingError(`${event.type} is no event of the pipeline`, {
        code: 'event-unknown',
        next: `Its events: ${events.map(({ type }) => type).join(', ')}.`,
      })
    }
    const { id = `${event.type}-${this.#records + 1}`, at } = options
    const ts = at === undefined ? this.#nowMs : instantMs(at)
    return this.receivesJson(upstreamJson(event, values, { typePath, id, userId: this.id, ts }))
  }

  /** An event of this user as upstream sends it. Throws TestingError where the pipeline would refuse it. */
  receivesJson(payload: Readonly<Record<string, unknown>>): EventOutcome {
    const record = this.#recordOf(JSON.stringify(payload))
    const { byUser, refused } = affectedUsers([record], this.#compiled.contracts)
    for (const { refusal } of refused) throw refusedEvent(refusal)
    const plan = planItem(this.#compiled, { userId: this.id, records: byUser.get(this.id) ?? [] }, this.#item)
    if ('refusal' in plan) throw refusedEvent(plan.refusal)
    if (plan.outcome === 'planned') this.#put(plan)
    const [decision = 'fold'] = plan.decisions
    const outcome = decision === 'fold' ? 'folded' : decision
    this.outcomes[outcome]++
    return outcome
  }

  /** Moves the clock on: '90s', '15m', '6h', '8d'. */
  waits(duration: Duration): void {
    this.#nowMs += parseDurationMs(duration)
  }

  waitsUntil(instant: string): void {
    const ms = instantMs(instant)
    if (ms < this.#nowMs) {
      throw new TestingError(`${instant} is before the test's clock, ${this.now}`, {
        code: 'clock-backwards',
        next: 'Start the test earlier; an event of the past takes its time by `at`.',
      })
    }
    this.#nowMs = ms
  }

  /** What a GET answers now. */
  features(): ValuesOf<Set> {
    // As JSON has them: a client sees no prototypes.
    return JSON.parse(JSON.stringify(this.#body().values)) as ValuesOf<Set>
  }

  /** Feature → why it is null for now: `backfilling`. */
  pending(): { readonly [Name in keyof ValuesOf<Set>]?: string } {
    return (this.#body().pending ?? {}) as { readonly [Name in keyof ValuesOf<Set>]?: string }
  }

  /** Until when (exclusive) the features stay as they are if no event comes, RFC 3339; undefined: for ever. */
  freshUntil(): string | undefined {
    const { freshUntil } = this.#body()
    return freshUntil === undefined ? undefined : toRfc3339(freshUntil)
  }

  /** Model → what it says of the features now. Throws ModelError, TestingError. */
  async predictions(): Promise<Readonly<Record<string, Prediction>>> {
    const predictor = await artifactPredictor(this.#compiled, this.#models)
    return (await predictOne(predictor, this.#body())).predictions.models
  }

  /** Of the item as DynamoDB counts it, without predictions. */
  itemBytes(): number {
    return itemBytes(this.#stored())
  }

  /** The same user under other definitions, as after a deploy: what the item lacks of them is pending. */
  afterDeploy<Next extends FeatureSet>(pipeline: Pipeline<Next>): TestUser<Next> {
    const { id } = this
    return new TestUser(pipeline, {
      id,
      models: this.#models,
      nowMs: this.#nowMs,
      item: this.#item,
      records: this.#records,
    })
  }

  #body(): FeaturesBody {
    return featuresAt(this.#compiled, this.#stored(), this.#nowMs)
  }

  #stored(): StoredItem {
    if (this.#item !== undefined) return this.#item
    throw new TestingError(`${this.id} has no event yet: a GET answers 404`, {
      code: 'user-not-found',
      next: 'Let the user receive an event first.',
    })
  }

  #recordOf(payload: string): StreamRecord {
    this.#records++
    return {
      stream: 'test@1',
      shard: 'shardId-000000000000',
      sequence: String(this.#records),
      arrivalMs: this.#nowMs,
      partitionKey: this.id,
      dataBase64: Buffer.from(payload, 'utf8').toString('base64'),
    }
  }

  #put({ before, next }: Extract<ReturnType<typeof planItem>, { readonly outcome: 'planned' }>): void {
    const { definitions, pipeline } = this.#compiled
    const { itemBytesMax } = pipeline
    const { asOf } = next.features
    const nobody = { predictions: { asOf, models: {} }, models: {} }
    const item = encodeNext({ userId: this.id, before, next, definitions, itemBytesMax }, nobody)
    if ('reason' in item) throw refusedEvent(item)
    this.#item = item
  }
}

function refusedEvent({ reason, detail }: Refusal): TestingError {
  return new TestingError(`The event is refused, ${reason}: ${detail}`, {
    code: reason,
    next:
      reason === 'mis-keyed'
        ? 'It is of another user: give that one to userOf as its id.'
        : 'In the stream it would be a dead letter, and no feature would know of it.',
  })
}

function instantMs(text: string): number {
  const ms = parseRfc3339Ms(text)
  if (ms !== undefined && ms >= 0) return ms
  throw new TestingError(`"${text}" is not an instant`, {
    code: 'instant-invalid',
    next: "Write it as '2026-01-01T00:00:00Z'.",
  })
}
