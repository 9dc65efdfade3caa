// A part of a run that is gone before the run is committed: the day is not lost for it.
import { describe, expect, it } from 'vitest'
import { giveUp, readRun } from '../../src/snapshot/start-run.ts'
import type { SnapshotEvent } from '../../src/snapshot/snapshot-events.ts'
import { INSTANT, Killed, REF, type RunWorld, runWorld, userNames } from './run-world.ts'

const TAKE: SnapshotEvent = { snapshot: 'take', instantMs: INSTANT, requestId: 'night' }
const LAST: SnapshotEvent = { snapshot: 'work', partition: REF.partition, run: 1, segment: 2, turn: 0 }

/** Of a run whose last worker has not come yet. */
async function almostDone(): Promise<RunWorld> {
  const world = await runWorld()
  await world.invoke(TAKE)
  const [second] = world.woken.splice(0)
  if (second === undefined) throw new Error('Nobody was woken')
  await world.invoke(second)
  return world
}

function takePart({ objects }: RunWorld): { readonly putBack: () => void } {
  const [key, body] = [...objects.objects].find(([name]) => name.includes('/part-')) ?? []
  if (key === undefined || body === undefined) throw new Error('There is no part')
  objects.objects.delete(key)
  return { putBack: () => void objects.objects.set(key, body) }
}

describe('a part that is gone', () => {
  it('before the run is decided leaves it undecided, so that it can be given up and the day begun anew', async () => {
    const world = await almostDone()
    takePart(world)
    await expect(world.invoke(LAST)).rejects.toMatchObject({
      code: 'snapshot-incomplete',
      message: expect.stringContaining('it is not there'),
      next: expect.stringContaining('--give-up'),
    })
    const run = await readRun(world.deps, { partition: REF.partition, number: 1 })
    expect(await giveUp(world.deps, run, { who: 'ana', why: 'a part is gone' })).toBe('given-up')
    await world.invoke({ ...TAKE, requestId: 'again' })
    for (const event of world.woken.splice(0)) await world.invoke(event)
    expect(await world.current()).toEqual(userNames(24))
  })

  it('after it is decided says to put it back, and then the run is committed', async () => {
    const world = await almostDone()
    // The last worker dies between the decision and the commit.
    world.dies = ({ operation, key, when }) => operation === 'create' && key.endsWith('/end.json') && when === 'after'
    await expect(world.invoke(LAST)).rejects.toThrow(Killed)
    world.dies = () => false
    const { putBack } = takePart(world)
    await expect(world.invoke(LAST)).rejects.toMatchObject({
      code: 'snapshot-incomplete',
      next: expect.stringContaining('--resume'),
    })
    putBack()
    expect(await world.invoke(LAST)).toMatchObject({ outcome: 'committed' })
    expect(await world.current()).toEqual(userNames(24))
  })
})
