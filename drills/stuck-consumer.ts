// The users table refuses the function, as after a change of its policy. Lambda retries, then gives whole batches up; recompute is paused
// so that it gives up no more, the policy is mended, recompute goes on, and what was given up is counted.
import type { Drill } from './drill.ts'
import { act, proveCounts, proveVerified, seeHealth, seeTrouble } from './steps.ts'
import { arrivals } from './traffic.ts'

const BEFORE = 100
const GIVEN_UP = 60
const WHILE_PAUSED = 80

export const stuckConsumer: Drill = {
  name: 'stuck-consumer',
  summary: 'recompute can write nothing and Lambda gives batches up: pause, mend, resume, count what was given up.',
  // A hundred where it is deployed, which outlasts what passes by itself.
  settings: { retriesMax: 2 },
  async run(world) {
    const { story } = world
    const traffic = arrivals(world.clock)
    await world.send(traffic.next(BEFORE))
    await world.settle()
    await seeHealth(world, 'all is well before')

    await world.breakIt('A change of its policy takes the users table from recompute.', () =>
      world.refuseUsersTable({
        code: 'AccessDeniedException',
        message: 'User is not authorized to perform this action',
      }),
    )
    await world.send(traffic.next(GIVEN_UP))
    await world.settle()

    story.chapter('What you see')
    await seeTrouble(world, {
      line: 'given-up',
      text: /Lambda stopped retrying/,
      next: /backfill --dead-letters given-up/,
    })

    story.chapter('What you do')
    await act(world, 'millrace pause --why TEXT', { values: { TEXT: 'the users table refuses recompute' } })
    await world.send(traffic.next(WHILE_PAUSED))
    await seeTrouble(world, {
      line: 'recompute',
      text: /^paused by .*the users table refuses/,
      next: /millrace resume/,
    })
    story.say('Mend the policy.')
    world.refuseUsersTable(undefined)
    await act(world, 'millrace resume --why TEXT', { values: { TEXT: 'the policy is mended' } })
    await world.settle()
    await act(world, 'millrace backfill --dead-letters given-up')

    story.chapter('What proves it')
    await seeHealth(world, 'the status is healthy again')
    await proveCounts(world, traffic)
    await proveVerified(world)
  },
}
