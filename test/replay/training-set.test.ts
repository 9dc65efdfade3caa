import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { evaluateFeatures } from '../../src/features/evaluate.ts'
import { foldState } from '../../src/features/state.ts'
import type { CompiledPipeline } from '../../src/predictions/compile-pipeline.ts'
import { eachOnce, historyEvent } from '../../src/replay/counted-events.ts'
import { featuresAt } from '../../src/serve/evaluate-user.ts'
import { memoryHistory } from '../fakes/memory-history.ts'
import { START } from '../features/arbitrary-events.ts'
import { definition } from '../features/arbitrary-features.ts'
import { PROPERTY_MS_MAX, propertyRuns } from '../features/property-runs.ts'
import { arrivals, compiledOf, featuresOf, streamed, trainingSet, USERS } from './training-world.ts'

const DAY = 86_400_000
const RUNS = 25

/** Just before, at and after an arrival, and anywhere. */
const instants = fc.array(
  fc.record({
    userId: fc.constantFrom(...USERS, 'nobody'),
    nearRecord: fc.option(fc.nat(29)),
    beside: fc.integer({ min: -1, max: 1 }),
    offsetMs: fc.nat(200 * DAY),
  }),
  { minLength: 1, maxLength: 12 },
)

type Instants = typeof instants extends fc.Arbitrary<infer T> ? T : never

function labelsAt(given: Instants, records: readonly StreamRecord[]) {
  return given.map(({ userId, nearRecord, beside, offsetMs }) => {
    const near = nearRecord === null ? undefined : records[nearRecord % records.length]?.arrivalMs
    return { userId, time: (near ?? START + offsetMs) + beside + 1, values: [] }
  })
}

const namesOf = ({ features }: CompiledPipeline) => features.features.map(({ name }) => name)

/** What a GET answers for somebody without events, if it answered. */
function nobody({ features: plan }: CompiledPipeline, t: number) {
  const none = foldState({ plan, state: undefined, previousAt: undefined, previousVersion: undefined, events: [] })
  return evaluateFeatures(plan, none.state, none.at, t)
}

describe('a training set', () => {
  it(
    'has for each label what a GET one millisecond before it would have answered, to the byte',
    () =>
      fc.assert(
        fc.asyncProperty(definition, arrivals, instants, async ({ set }, records, given) => {
          const compiled = compiledOf(set)
          const { openLetters, itemAt } = await streamed(compiled, records)
          const labels = labelsAt(given, records)
          const { rows } = await trainingSet(labels, { compiled, openLetters, history: memoryHistory(records) })
          expect(rows.length).toBe(labels.length)
          for (const [index, { userId, time }] of labels.entries()) {
            const item = itemAt(userId, time - 1)
            const got = item === undefined ? nobody(compiled, time - 1) : featuresAt(compiled, item, time - 1)
            expect(featuresOf(rows[index], namesOf(compiled))).toBe(featuresOf(got.values, namesOf(compiled)))
          }
        }),
        propertyRuns(RUNS),
      ),
    PROPERTY_MS_MAX,
  )

  it(
    'knows nothing of an event that arrives at the very time of the label',
    () =>
      fc.assert(
        fc.asyncProperty(definition, arrivals, fc.nat(29), async ({ set }, records, cut) => {
          const compiled = compiledOf(set)
          const from = records[cut % records.length]?.arrivalMs ?? 0
          const labels = USERS.map(userId => ({ userId, time: from, values: [] }))
          const before = records.filter(({ arrivalMs }) => arrivalMs < from)
          const [all, some] = await Promise.all(
            [records, before].map(list => trainingSet(labels, { compiled, history: memoryHistory(list) })),
          )
          expect(all?.rows).toEqual(some?.rows)
        }),
        propertyRuns(RUNS),
      ),
    PROPERTY_MS_MAX,
  )

  it(
    'known all: counts by the time of the event alone, each once as it first arrived, imports among them',
    () =>
      fc.assert(
        fc.asyncProperty(
          definition,
          arrivals,
          instants,
          fc.constantFrom('arrival' as const, 'all' as const),
          async ({ set }, records, given, known) => {
            const compiled = compiledOf(set)
            const labels = labelsAt(given, records)
            const history = memoryHistory(
              records.filter((_, index) => index % 3 > 0),
              records
                .filter((_, index) => index % 3 === 0)
                .map(({ dataBase64, partitionKey }) => ({
                  batchId: '20250101000000-7h3k9c2m',
                  payload: Buffer.from(dataBase64, 'base64'),
                  userId: partitionKey,
                })),
            )
            const { rows } = await trainingSet(labels, { compiled, history, known })
            for (const [index, { userId, time }] of labels.entries()) {
              const events = await countedEvents(history, compiled, userId)
              const counted = events.filter(
                ({ event, arrivalMs }) => (known === 'all' ? event.ts : arrivalMs) <= time - 1,
              )
              const { state, at } = foldState({
                plan: compiled.features,
                state: undefined,
                previousAt: undefined,
                previousVersion: undefined,
                events: counted.map(({ event }) => event),
              })
              const { values } = evaluateFeatures(compiled.features, state, at, time - 1)
              expect(featuresOf(rows[index], namesOf(compiled))).toBe(featuresOf(values, namesOf(compiled)))
            }
          },
        ),
        propertyRuns(RUNS),
      ),
    PROPERTY_MS_MAX,
  )
})

/** All that there is of a user, the obvious way. */
async function countedEvents(history: ReturnType<typeof memoryHistory>, compiled: CompiledPipeline, userId: string) {
  const events = []
  for (let bucket = 0; bucket < 64; bucket++) {
    for await (const record of history.bucket(bucket)) {
      const event = historyEvent(record, compiled)
      if (!('reason' in event) && event.event.userId === userId) events.push(event)
    }
  }
  return eachOnce(events)
}
