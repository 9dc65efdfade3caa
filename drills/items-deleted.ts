// The items of nearly all users are gone, as after somebody's script. All that came in is in the archive: once an item says how far its
// user has come, a rebuild makes it whole.
import type { Drill, Sent } from './drill.ts'
import { act, proveCounts, proveVerified, seeHealth } from './steps.ts'
import { arrivals } from './traffic.ts'

const BEFORE = 200

export const itemsDeleted: Drill = {
  name: 'items-deleted',
  summary: 'The items of users are gone: each is rebuilt from the archive.',
  async run(world) {
    const { story } = world
    const traffic = arrivals(world.clock)
    const events = traffic.next(BEFORE)
    await world.send(events)
    await world.settle()
    await seeHealth(world, 'all is well before')

    const userIds = [...traffic.counts.keys()].slice(1)
    await world.breakIt('The items of all users but one are deleted.', () => world.deleteItems(userIds))

    story.chapter('What you see')
    story.say('The status does not look at items: callers of GET and millrace verify tell it.')
    const verified = await act(world, 'millrace verify --all', { exitCode: 1 })
    story.check(
      'it says that each of them is missing',
      new RegExp(`missing +${userIds.length}\\b`).test(verified.stdout),
    )

    story.chapter('What you do')
    const newest = await world.writeFile('newest.ndjson', newestOf(userIds, events))
    const names = await world.writeFile('users.txt', Buffer.from(`${userIds.join('\n')}\n`))
    await act(world, 'millrace events push FILE', { values: { FILE: newest } })
    await world.settle()
    await act(world, 'millrace backfill --users FILE', { values: { FILE: names } })

    story.chapter('What proves it')
    await seeHealth(world, 'the status is healthy')
    await proveCounts(world, traffic)
    await proveVerified(world)
  },
}

/** As upstream has them, with the ids that they had. */
function newestOf(userIds: readonly string[], events: readonly Sent[]): Uint8Array {
  const newest = new Map(events.map(({ partitionKey, data }) => [partitionKey, data]))
  const lines = userIds.flatMap(userId => newest.get(userId) ?? [])
  return Buffer.concat(lines.flatMap(line => [line, Buffer.from('\n')]))
}
