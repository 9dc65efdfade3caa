// Thousands of records that no contract accepts, between good ones. The shard goes on: each is set aside with its reason and its owner, and
// what upstream sends again as it should be counts.
import type { Drill, Sent } from './drill.ts'
import { act, proveCounts, proveVerified, seeHealth, seeTrouble } from './steps.ts'
import { arrivals, userOf } from './traffic.ts'

const GOOD = 300
/** Of each kind. */
const POISON = 600
const SENT_AGAIN = 100
/** Letters are read one by one; a person who knows that there are thousands waits. */
const PATIENCE = ['--patience', '60s'] as const

export const poisonFlood: Drill = {
  name: 'poison-flood',
  summary: 'Thousands of malformed records: the shard goes on, each is told by its reason and its owner.',
  async run(world) {
    const { story } = world
    const traffic = arrivals(world.clock)
    await world.send(traffic.next(GOOD / 3))
    await world.settle()
    await seeHealth(world, 'all is well before')

    const total = Object.keys(KINDS).length * POISON
    await world.breakIt(`${total} records that no contract accepts come in between good ones.`, () =>
      world.send(poison()),
    )
    await world.send(traffic.next(GOOD / 3))
    await world.settle()

    story.chapter('What you see')
    const text = new RegExp(`^${total.toLocaleString('en-US').replace(',', '.?')} open: `)
    await seeTrouble(world, { line: 'dead-letters', text, next: /deadletters list/ }, { words: PATIENCE })
    const listed = await act(world, 'millrace deadletters list --limit 0 --json')
    const { counts } = JSON.parse(listed.stdout) as { readonly counts: Readonly<Record<string, number>> }
    for (const [reason] of Object.entries(KINDS))
      story.check(`${POISON} dead letters say ${reason}`, counts[reason] === POISON, String(counts[reason]))
    const owned = { service: world.pipeline, function: 'recompute', owner: 'route desk' }
    const measured = await world.metricSum('deadLetters', owned)
    story.check(
      'the metric that the alarm watches has them under the owner of the contract',
      measured >= POISON,
      `${measured}`,
    )
    await proveCounts(world, traffic)

    story.chapter('What you do')
    story.say(
      'Call the owner that the status names. Upstream mends its producer, and sends again what it has as it should be.',
    )
    await world.send(traffic.next(SENT_AGAIN))
    await world.settle()
    const preview = await act(world, 'millrace deadletters replay --reason not-json --preview')
    story.check(
      'a replay would change nothing of what never was an event',
      preview.stdout.includes(`${POISON} would be refused again`),
    )

    story.chapter('What proves it')
    story.say('The letters stay, as evidence: from now on the status is asked about more than those.')
    const known = ['--max-dead-letters', String(total), ...PATIENCE]
    await seeHealth(world, 'the status is healthy but for the letters that are known', { words: known })
    await proveCounts(world, traffic)
    await proveVerified(world)
  },
}

const KINDS: Readonly<Record<string, (index: number) => string | Uint8Array>> = {
  'not-json': index => `{"type": "flight.arrived", "flight": ${index}, `,
  'not-utf8': index => Uint8Array.of(0xc3, 0x28, index & 0xff),
  'unknown-type': index => JSON.stringify({ type: 'flight.diverted', flight: index }),
  contract: index => JSON.stringify({ ...wellFormed(index), delayMinutes: 'late' }),
  'time-invalid': index => JSON.stringify({ ...wellFormed(index), arrivedAt: 'yesterday' }),
}

function poison(): Sent[] {
  return Array.from({ length: POISON }).flatMap((_, index) =>
    Object.values(KINDS).map(make => ({ partitionKey: userOf(index), data: Buffer.from(make(index)) })),
  )
}

/** Of no flight that the good events have. */
function wellFormed(index: number): object {
  return {
    type: 'flight.arrived',
    flight: 1_000_000 + index,
    route: userOf(index),
    arrivedAt: '2026-01-02T03:04:05Z',
    departureHour: 1,
    departureWeekday: 1,
    origin: 'DRL',
    destination: '000',
    distanceMiles: 300,
    delayMinutes: 1,
  }
}
