// The users table throttles for a while. Batches are delivered again until it does no more: lag grows, nothing is lost, nobody does anything.
import type { Drill } from './drill.ts'
import { act, proveCounts, proveVerified, seeHealth, seeTrouble } from './steps.ts'
import { arrivals } from './traffic.ts'

const BEFORE = 100
const WHILE_THROTTLED = 200
const TRICKLE = 20
/** Five minutes where nobody waits for it. */
const LOOK = ['--max-lag', '10s'] as const

export const throttle: Drill = {
  name: 'throttle',
  summary: 'The users table throttles for a while: lag grows, and recovers by itself.',
  async run(world) {
    const { story } = world
    const traffic = arrivals(world.clock)
    await world.send(traffic.next(BEFORE))
    await world.settle()
    await seeHealth(world, 'all is well before', { words: LOOK })

    await world.breakIt('Every call of the users table is throttled.', () =>
      world.refuseUsersTable({
        code: 'ProvisionedThroughputExceededException',
        message: 'The level of configured provisioned throughput for the table was exceeded',
      }),
    )
    await world.send(traffic.next(WHILE_THROTTLED))

    story.chapter('What you see')
    story.say('The limit is 10 seconds here, so that the drill is short; it is five minutes without --max-lag.')
    await seeTrouble(world, { line: 'recompute', text: /lag \d/, next: /log of recompute/ }, { words: LOOK })
    story.check(
      'callers of GET are told to come again',
      [429, 503].includes((await world.get('/users/DRL-000/features')).status),
    )

    story.chapter('What you do')
    story.say('Nothing, where it ends by itself: records are delivered again for as long as the mapping retries.')
    story.say('Where it does not end: raise the limit of the table, or pause recompute until it is raised.')
    world.refuseUsersTable(undefined)
    await world.settle()

    story.chapter('What proves it')
    const trickle = async (): Promise<void> => {
      await world.send(traffic.next(TRICKLE))
      await world.settle()
    }
    await trickle()
    await seeHealth(world, 'the status is healthy again, three minutes later at most', {
      words: LOOK,
      between: trickle,
    })
    await act(world, 'millrace deadletters list')
    await proveCounts(world, traffic)
    await proveVerified(world)
  },
}
