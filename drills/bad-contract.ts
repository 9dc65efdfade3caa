// A contract is deployed that refuses what upstream sends. Events are set aside, none is lost; the contract is mended, deployed, and the
// letters are replayed.
import type { Drill } from './drill.ts'
import { act, proveCounts, proveVerified, seeHealth, seeTrouble } from './steps.ts'
import { arrivals, userOf } from './traffic.ts'

const BEFORE = 200
const WHILE_BROKEN = 100
const FIELD = 'airline'

export const badContract: Drill = {
  name: 'bad-contract',
  summary: 'A contract refuses what upstream sends: mend it, deploy it, replay the dead letters.',
  settings: { isDeployedAnew: true },
  async run(world) {
    const { story } = world
    const traffic = arrivals(world.clock)
    await world.send(traffic.next(BEFORE))
    await world.settle()
    await seeHealth(world, 'all is well before')
    const { body: before } = await world.get(`/users/${userOf(0)}/features`)

    await world.breakIt(`A deploy asks for the field ${FIELD}, which upstream does not send.`, () =>
      world.deploy(source => withField(source)),
    )
    await world.send(traffic.next(WHILE_BROKEN))
    await world.settle()

    story.chapter('What you see')
    await seeTrouble(world, { line: 'dead-letters', text: /\bcontract 100\b.*route desk/, next: /deadletters list/ })
    await act(world, 'millrace deadletters list --reason contract --limit 1')
    const { body: meanwhile } = await world.get(`/users/${userOf(0)}/features`)
    story.check('GETs go on with what was folded before', countOf(meanwhile) === countOf(before))

    story.chapter('What you do')
    story.say('Mend the contract, and deploy it.')
    await world.deploy()
    const preview = await act(world, 'millrace deadletters replay --reason contract --preview')
    story.check(
      `the preview says that ${WHILE_BROKEN} would be folded`,
      preview.stdout.includes(`${WHILE_BROKEN} would be folded`),
    )
    await act(world, 'millrace deadletters replay --reason contract')

    story.chapter('What proves it')
    await seeHealth(world, 'the status is healthy again')
    await proveCounts(world, traffic)
    await proveVerified(world)
  },
}

function withField(eventsSource: string): string {
  const edited = eventsSource.replace('  fields: {\n', `  fields: {\n    ${FIELD}: text(),\n`)
  if (edited === eventsSource) throw new Error('events.ts has no fields to add one to')
  return edited
}

function countOf(body: unknown): unknown {
  return (body as { readonly values?: { readonly arrivals30d?: unknown } }).values?.arrivals30d
}
