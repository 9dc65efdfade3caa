import { expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { closeRecords } from '../../src/archive/closed-letters.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { failureObject, GIVEN_UP_KEY } from '../archive/factories.ts'
import { START } from '../features/factories.ts'
import { orderRecord } from '../recompute/harness.ts'
import { deliverAll, randomStream, verifyWorld } from './verify-world.ts'

it('a batch that was given up is missed by nobody until it is closed, though later events of its users were folded', async () => {
  const world = verifyWorld()
  const random = seededRandom(4)
  const records = randomStream(random, 200)
  const given = [1, 2, 3].map(id =>
    orderRecord(`given-up-${id}`, 300 + id, { user: `user-${id}`, ts: START + 20 * 86_400_000 }),
  )
  const after = [1, 2, 3].map(id =>
    orderRecord(`after-${id}`, 310 + id, { user: `user-${id}`, ts: START + 20 * 86_400_000 }),
  )
  await deliverAll(world, [...records, ...after], random)
  world.archived.push(...given)
  expect((await world.verify()).counts).toMatchObject({ different: 3 })
  await archiveBatch(given, world.archive)
  await world.archive.create(GIVEN_UP_KEY, failureObject(given))
  await world.archive.create(`${GIVEN_UP_KEY}-torn`, Buffer.from('{'))
  expect(await world.verify()).toMatchObject({
    counts: { users: 12, matched: 12 },
    givenUpUnreadable: [`${GIVEN_UP_KEY}-torn`],
  })
  // A rebuild that says it has counted them is held to it.
  await closeRecords(world.archive, 'closed', { records: given.slice(1), by: 'a rebuild' })
  expect((await world.verify()).counts).toMatchObject({ matched: 10, different: 2 })
})
