// What a team does with a running deployment, on the emulators and with real flights: a training set whose rows are the answers that
// GETs gave, then new features of 90 days deployed and backfilled while events stream in. Run by .ci/run as
// `node --conditions=millrace-source test/local/evolve-under-load.ts`; it exits 0 when all holds.
import { deepStrictEqual, ok, strictEqual } from 'node:assert'
import { count, distinct, features, pipeline, stddev } from 'millrace'
import { arrivedMs, flightArrived, openFlights } from '../../demo/flights.ts'
import { planDemo } from '../../demo/plan.ts'
import { loadRows } from '../../src/catalog/table-rows.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import type { FeaturesBody } from '../../src/features/features-body.ts'
import { mapWithLimit } from '../../src/platform/concurrency.ts'
import { HOUR_MS } from '../../src/platform/duration.ts'
import { LineSpool } from '../../src/platform/line-spool.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { arrival } from '../../src/pipeline/events.ts'
import flights from '../../src/pipeline/index.ts'
import { backfill } from '../../src/replay/backfill.ts'
import { recordKey } from '../../src/replay/counted-events.ts'
import { importHistory } from '../../src/replay/import-history.ts'
import { spooledLetters, spoolOpenLetters } from '../../src/replay/open-letters.ts'
import { makeTrainingSet } from '../../src/replay/training-set.ts'
import { type EvolvingDeployment, flightRecords, startDeployment } from './evolving-deployment.ts'

const NOW_MS = Date.UTC(2026, 0, 15, 12)
const RECORDS_PER_BATCH = 500
const PAIRS = 1000
const USERS_AT_ONCE = 1000
const HISTORY_EVENTS = 60_000
/** As many as the SDK has sockets for: more only wait for one, and some of them longer than a connection may take. */
const GETS_IN_FLIGHT = 48

interface Answer {
  readonly userId: string
  readonly atMs: number
  readonly body: FeaturesBody
}

const plan = await planDemo(await openFlights(), NOW_MS)
const records = flightRecords(plan)
const random = seededRandom(7)
const before = pipeline({ ...flights, models: [] })
const after = pipeline({
  ...before,
  features: features({
    ...flights.features.features,
    late90d: count(arrival, { within: '90d', where: { delayMinutes: { above: 15 } } }),
    spread90d: stddev(arrival, 'delayMinutes', { within: '90d' }),
    hours90d: distinct(arrival, 'departureHour', { within: '90d' }),
  }),
})

const deployment = await startDeployment(before)
try {
  await loadHistory(deployment)
  const half = records.length / 2
  const answers = await streamAndAsk(deployment, records.slice(0, half))
  await compareWithTrainingSet(deployment, answers, 'pairs')
  say(`training set = GET for ${answers.length} pairs of route and time`)

  deployment.deploy(after)
  const someone = answers[0]?.userId ?? ''
  const waiting = await deployment.get(someone)
  deepStrictEqual(waiting.pending, { hours90d: 'backfilling', late90d: 'backfilling', spread90d: 'backfilling' })
  const [counts] = await Promise.all([runBackfill(deployment), stream(deployment, records.slice(half))])
  say(`backfill under load: ${JSON.stringify(counts)}`)
  strictEqual(counts.waiting + counts.corrupt + counts.itemTooBig + counts.tooManyEvents, 0)
  ok(counts.written > USERS_AT_ONCE)
  const again = await runBackfill(deployment)
  strictEqual(again.written, 0, 'a second run has nothing to do')

  const everybody = [...new Set(records.map(({ partitionKey }) => partitionKey))].slice(0, USERS_AT_ONCE)
  strictEqual(everybody.length, USERS_AT_ONCE)
  const served = await mapWithLimit(everybody, GETS_IN_FLIGHT, userId => ask(deployment, userId))
  for (const { body } of served) strictEqual(body.pending, undefined)
  await compareWithTrainingSet(deployment, served, 'everybody')
  say(`training set = GET for ${served.length} routes, new features included`)
} finally {
  await deployment.stop()
}

/** Up to the type's lateness before the first live arrival: from then on a training set knows all of it, as items do. */
async function loadHistory(target: EvolvingDeployment): Promise<void> {
  const firstMs = arrivedMs(plan.flights, plan.live[0] ?? 0)
  const history = plan.history.filter(flight => arrivedMs(plan.flights, flight) < firstMs - 13 * HOUR_MS)
  target.nowMs = firstMs + plan.shiftMs
  const payloads = Array.from(history.slice(-HISTORY_EVENTS), flight =>
    Buffer.from(JSON.stringify(flightArrived(plan.flights, flight, plan.shiftMs))),
  )
  const report = await importHistory(payloads, {
    ...target,
    name: 'before',
    spoolDir: await target.spoolDir(),
    who: 'test',
    why: 'history',
  })
  say(`${report.events} arrivals of history in ${report.usersWritten} routes`)
}

/** GETs while events stream in, of routes that had events and of any. */
async function streamAndAsk(target: EvolvingDeployment, all: readonly StreamRecord[]): Promise<Answer[]> {
  const answers: Answer[] = []
  const batches = Math.ceil(all.length / RECORDS_PER_BATCH)
  for (let batch = 0; batch < batches; batch++) {
    const slice = all.slice(batch * RECORDS_PER_BATCH, (batch + 1) * RECORDS_PER_BATCH)
    await target.deliver(slice)
    // What has arrived is folded when it is asked for, as on a stream without a backlog.
    const nextMs = all[(batch + 1) * RECORDS_PER_BATCH]?.arrivalMs ?? target.nowMs + 1
    target.nowMs += Math.floor(random() * (nextMs - target.nowMs))
    for (let pair = 0; pair < PAIRS / batches; pair++) {
      const any = all[Math.floor(random() * (batch + 1) * RECORDS_PER_BATCH)] ?? slice[0]
      if (any !== undefined) answers.push(await ask(target, any.partitionKey))
    }
  }
  return answers.slice(0, PAIRS)
}

async function stream(target: EvolvingDeployment, all: readonly StreamRecord[]): Promise<void> {
  for (let from = 0; from < all.length; from += RECORDS_PER_BATCH) {
    await target.deliver(all.slice(from, from + RECORDS_PER_BATCH))
  }
}

async function ask(target: EvolvingDeployment, userId: string): Promise<Answer> {
  return { userId, atMs: target.nowMs, body: await target.get(userId) }
}

async function runBackfill(target: EvolvingDeployment): ReturnType<typeof backfill> {
  const history = await target.openHistory()
  try {
    const request = { target: { kind: 'incomplete', feature: undefined }, waitMs: HOUR_MS, by: 'test' } as const
    return await backfill(request, { ...target, history, spoolDir: await target.spoolDir() })
  } finally {
    await history.close()
  }
}

/** Each answer is the row of the instant after it. */
async function compareWithTrainingSet(target: EvolvingDeployment, answers: readonly Answer[], name: string) {
  const letters = new LineSpool(await target.spoolDir(), 'letters')
  await spoolOpenLetters(target.archive, letters)
  const report = await makeTrainingSet(
    { rows: labelsOf(answers), carried: () => [] },
    {
      ...target,
      openHistory: () => target.openHistory(),
      openLetters: async bucket =>
        new Set([...(await spooledLetters(letters, bucket)).values()].flat().map(letter => recordKey(letter))),
      name,
      known: 'arrival',
      openedMs: target.nowMs,
      spoolDir: await target.spoolDir(),
      who: 'test',
      why: 'answers again',
    },
  )
  let rows = 0
  for await (const row of loadRows(target.catalog, report.ref)) {
    const answer = answers[Number(row['label_row'])]
    for (const [feature, value] of Object.entries(answer?.body.values ?? {})) {
      deepStrictEqual(row[feature], value, `${feature} of ${answer?.userId} at ${answer?.atMs}`)
    }
    rows++
  }
  strictEqual(rows, answers.length)
}

async function* labelsOf(answers: readonly Answer[]) {
  for (const { userId, atMs } of answers) yield { userId, time: atMs + 1, values: [] }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
