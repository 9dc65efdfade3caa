// A bit of a stored item is turned over. It is found before anything of it is used, the user's records wait as dead letters, everybody else
// goes on, and the item is made right from the archive.
import type { Drill } from './drill.ts'
import { act, proveCounts, proveVerified, seeHealth, seeTrouble } from './steps.ts'
import { arrivals, userOf } from './traffic.ts'

const BEFORE = 200
const MEANWHILE = 40

export const corruptItem: Drill = {
  name: 'corrupt-item',
  summary: 'A stored item is damaged: the user is repaired from the archive, everybody else goes on.',
  async run(world) {
    const { story } = world
    const traffic = arrivals(world.clock)
    const userId = userOf(3)
    await world.send(traffic.next(BEFORE))
    await world.settle()
    await seeHealth(world, 'all is well before')

    await world.breakIt('One bit of the stored state of one user is turned over.', () => world.damageItem(userId))
    await world.send(traffic.next(MEANWHILE))
    await world.settle()

    story.chapter('What you see')
    await seeTrouble(world, { line: 'dead-letters', text: /item-corrupt \d/, next: /deadletters list/ })
    const listed = await act(world, 'millrace deadletters list --reason item-corrupt')
    story.check('the list says that the verb is millrace users repair', listed.stdout.includes('millrace users repair'))
    const other = await world.get(`/users/${userOf(4)}/features`)
    story.check('other users are served', other.status === 200, `HTTP ${other.status}`)

    story.chapter('What you do')
    await act(world, 'millrace users repair --corrupt --dry-run')
    await act(world, 'millrace users repair ID', { values: { ID: userId } })

    story.chapter('What proves it')
    await seeHealth(world, 'the status is healthy again')
    await proveCounts(world, traffic)
    await proveVerified(world)
  },
}
