import { expect, it } from 'vitest'
import { unitPace, writePace } from '../../src/platform/pace.ts'

function world() {
  let nowMs = 1_000
  const slept: number[] = []
  return {
    slept,
    clock: () => nowMs,
    pass: (ms: number) => void (nowMs += ms),
    sleep: async (ms: number) => {
      slept.push(ms)
      nowMs += ms
    },
  }
}

it('reads no more units than a second has, however large each read is', async () => {
  const time = world()
  const pace = unitPace(100, time)
  for (const units of [128, 128, 1, 300]) await pace(units)
  expect(time.slept).toEqual([1_280, 1_280, 10, 3_000])
})

it('does not make up for time that was not used', async () => {
  const time = world()
  const pace = unitPace(100, time)
  await pace(10)
  time.pass(60_000)
  for (let read = 0; read < 3; read++) await pace(10)
  expect(time.slept).toEqual([100, 100, 100])
})

it('counts the time that the work took between two reads', async () => {
  const time = world()
  const pace = unitPace(100, time)
  const started = time.clock()
  for (let read = 0; read < 50; read++) {
    time.pass(7)
    await pace(1)
  }
  expect(time.clock() - started).toBe(50 * 10)
})

it('waits for nothing without a limit', async () => {
  const time = world()
  await unitPace(undefined, time)(1_000_000)
  await writePace(undefined, time)()
  expect(time.slept).toEqual([])
})
