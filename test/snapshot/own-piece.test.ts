// A piece whose creation was heard of by nobody, and repeated by the client, is still its writer's own.
import { expect, test } from 'vitest'
import { INSTANT, runWorld, userNames } from './run-world.ts'

test('a worker goes on after a piece that it finds to be its own', async () => {
  const world = await runWorld({ segments: 1 })
  const { runs } = world.deps
  const lost: typeof runs = {
    ...runs,
    createPiece: async (run, piece) => {
      await runs.createPiece(run, piece)
      return 'exists'
    },
  }
  const outcome = await world.invoke({ snapshot: 'take', instantMs: INSTANT, requestId: 'night' }, { runs: lost })
  expect(outcome).toMatchObject({ outcome: 'committed', report: { users: 24 } })
  expect(await world.current()).toEqual(userNames(24))
})
