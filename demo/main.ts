// The main job, end to end, on a machine with Node and npm and nothing else: `npm run demo`. What runs is the packaged template in
// the local cloud; the events are real flights. `--now TIME` fixes the instant to which their times are moved.
import { parseArgs } from 'node:util'
import { parseRfc3339Ms } from '../src/event/event-time.ts'
import { systemClock } from '../src/platform/clock.ts'
import { packageForDemo, startDemoCloud } from './cloud.ts'
import { explainRoute } from './explain-route.ts'
import { openFlights } from './flights.ts'
import { phases } from './phases.ts'
import { planDemo } from './plan.ts'
import { readWithDuckdb } from './read-with-duckdb.ts'
import { showUser } from './show-user.ts'
import { busiestRoute, loadHistory, publishModel, streamLive } from './steps.ts'
import { showSnapshots } from './snapshots.ts'
import { verifyRoutes } from './verify-routes.ts'

const { values } = parseArgs({ options: { now: { type: 'string' }, json: { type: 'boolean', default: false } } })
const nowMs = values.now === undefined ? systemClock() : parseRfc3339Ms(values.now)
if (nowMs === undefined) {
  console.error(`--now is "${values.now}"; write it as 2026-01-02T03:04:05Z`)
  process.exit(2)
}

const out = process.stdout
const demo = phases(out, systemClock)
const build = await demo.run('Packaging the functions', () => packageForDemo(demo))
const cloud = await demo.run('Starting the local cloud and deploying the template', () => startDemoCloud(build, demo))
try {
  await demo.run('Publishing the model late-arrival', () => publishModel(cloud, demo))
  const plan = await demo.run('Reading flights', async () => planDemo(await openFlights(), nowMs))
  const route = busiestRoute(plan)
  await demo.run('Loading 30 days of history into all routes', () => loadHistory(cloud, plan, demo))
  await demo.run(`The route ${route} before`, () => showUser(cloud, route, demo))
  const beforeMs = cloud.connection.clock()
  await demo.run('Streaming the next 10,000 arrivals live', () => streamLive(cloud, plan, demo))
  await demo.run(`The route ${route} after`, () => showUser(cloud, route, demo))
  await demo.run('Recomputing every route from the archive and comparing', () => verifyRoutes(cloud, demo))
  await demo.run(`Why the prediction of ${route} moved`, () => explainRoute(cloud, route, beforeMs, demo))
  const snapshot = await demo.run('Taking a snapshot, overwriting it, rolling it back', () =>
    showSnapshots(cloud, demo),
  )
  await demo.run('Reading it with DuckDB', () => readWithDuckdb(cloud, snapshot, demo))
} finally {
  await demo.run('Stopping what was started', () => cloud.stop())
}
out.write(
  `\nWhere the time went\n${demo
    .summary()
    .map(line => `  ${line}\n`)
    .join('')}`,
)
out.write(`
To go on:
  npm run local                                      keeps the local cloud up, and says how to push an event and read a user
  npx millrace features preview --help               what a feature says of a file of events, with no cloud
  npx millrace init shop                             a repo of your own, with an order and a customer
`)
