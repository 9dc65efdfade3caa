// A few seeds with every change; thousands of them are `npm run test:fault`.
import { expect, test } from 'vitest'
import { FAULTS } from './faults.ts'
import { runSeed } from './run-seed.ts'
import { newScheduler, SimulationStuck } from './scheduler.ts'

const SEEDS = 25

test('every promise holds for some seeds', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) expect(await runSeed({ seed })).toMatchObject({ failure: undefined })
}, 60_000)

test('one seed is one schedule', async () => {
  const [first, second] = [await runSeed({ seed: 4 }), await runSeed({ seed: 4 })]
  expect(second.lines).toEqual(first.lines)
  expect(second.wakes).toBe(first.wakes)
  expect(first.lines.length).toBeGreaterThan(10)
})

test('without its faults a seed has none, and less of it happens with fewer events', async () => {
  const { fired, records } = await runSeed({ seed: 4, eventsMax: 5, without: new Set(FAULTS) })
  expect([...fired.keys()]).toEqual([])
  expect(records).toBe(5)
})

test('who sleeps is woken in the order of time, and of two at once the first', async () => {
  const { sleep, run, clock } = newScheduler(1_000)
  const woken: string[] = []
  const sleeper = async (name: string, ms: number): Promise<void> => {
    await sleep(ms)
    woken.push(`${name} ${clock()}`)
  }
  await run(Promise.all([sleeper('c', 30), sleeper('a', 10), sleeper('b', 10), sleeper('d', 30.5), sleeper('e', 40)]))
  expect(woken).toEqual(['a 1010', 'b 1010', 'c 1030', 'd 1030', 'e 1040'])
})

test('a run that waits for what never comes ends and says so', async () => {
  await expect(newScheduler(0).run(new Promise(() => undefined))).rejects.toThrow(SimulationStuck)
})
