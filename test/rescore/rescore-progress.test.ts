// What a run writes of how far it is, and what the next one makes of it.
import { expect, it } from 'vitest'
import { seededRandom } from '../../src/platform/random.ts'
import { noCounts } from '../../src/rescore/rescore-counts.ts'
import { openProgress, type Sweep, totalOf } from '../../src/rescore/rescore-progress.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'

const SWEEP: Sweep = { model: 'churn', batchId: '20240302000000-bbbbbbbb', when: 'after', entry: 2 }
const counted = (users: number) => ({ ...noCounts(), users, rescored: users })

function ports() {
  return { objects: memoryObjectStore(), random: seededRandom(1) }
}

it('goes on with the newest step of each segment, and with its counts', async () => {
  const own = ports()
  const first = await openProgress(SWEEP, 3, own)
  for (let step = 1; step <= 12; step++)
    await first.save(1, { after: `u${step}`, isDone: false, counts: counted(step) })
  await first.save(2, { after: 'z', isDone: true, counts: counted(5) })
  const { steps, segments, isResumed } = await openProgress(SWEEP, 8, own)
  expect({ segments, isResumed }).toEqual({ segments: 3, isResumed: true })
  expect(steps.map(({ after, isDone }) => [after, isDone])).toEqual([
    [undefined, false],
    ['u12', false],
    ['z', true],
  ])
  expect(totalOf(steps)).toEqual(counted(17))
})

it('begins anew once every segment is done, and for another entry of the log', async () => {
  const own = ports()
  const first = await openProgress(SWEEP, 2, own)
  for (const segment of [0, 1]) await first.save(segment, { after: 'u', isDone: true, counts: counted(1) })
  const next = await openProgress(SWEEP, 4, own)
  expect({ isResumed: next.isResumed, segments: next.segments, total: totalOf(next.steps) }).toEqual({
    isResumed: false,
    segments: 4,
    total: noCounts(),
  })
  expect((await openProgress({ ...SWEEP, entry: 3 }, 4, own)).isResumed).toBe(false)
  expect((await openProgress({ ...SWEEP, when: 'before' }, 4, own)).isResumed).toBe(false)
  expect((await openProgress(SWEEP, 2, own)).isResumed).toBe(true)
})

it('finds that another run writes the same steps, and no fault in a create whose answer was lost', async () => {
  const own = ports()
  const [first, second] = [await openProgress(SWEEP, 1, own), await openProgress(SWEEP, 1, own)]
  await first.save(0, { after: 'a', isDone: false, counts: counted(1) })
  const save = second.save(0, { after: 'a', isDone: false, counts: counted(1) })
  await expect(save).rejects.toMatchObject({ code: 'rescore-running' })
  const twice = {
    ...own.objects,
    create: async (key: string, body: Uint8Array) => {
      await own.objects.create(key, body)
      return own.objects.create(key, body)
    },
  }
  const third = await openProgress({ ...SWEEP, entry: 9 }, 1, { ...own, objects: twice })
  await third.save(0, { after: 'b', isDone: true, counts: counted(1) })
  expect((await openProgress({ ...SWEEP, entry: 9 }, 1, own)).isResumed).toBe(false)
})

it('refuses an object that no run has written', async () => {
  const own = ports()
  const first = await openProgress(SWEEP, 1, own)
  await first.save(0, { after: 'a', isDone: false, counts: counted(1) })
  const step = [...own.objects.objects.keys()].find(key => key.endsWith('/000000001')) ?? ''
  own.objects.objects.set(step, Buffer.from('{"isDone":"perhaps"}'))
  await expect(openProgress(SWEEP, 1, own)).rejects.toMatchObject({ code: 'rescore-progress-invalid' })
})
