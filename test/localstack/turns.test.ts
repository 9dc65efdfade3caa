import fc from 'fast-check'
import { expect, it } from 'vitest'
import { turns } from '../../localstack/turns.ts'

const tick = () => new Promise<void>(resolve => setImmediate(resolve))

it('never lets anything go on beside work that wants to be alone, and lets all of it end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ isAlone: fc.boolean(), ticks: fc.nat(3), isFailing: fc.boolean() }), { maxLength: 20 }),
      async works => {
        const { together, alone } = turns()
        let [runningTogether, runningAlone] = [0, 0]
        const outcomes = works.map(async ({ isAlone, ticks, isFailing }, index) => {
          for (let wait = 0; wait < index % 3; wait++) await tick()
          return (isAlone ? alone : together)(async () => {
            if (isAlone) runningAlone++
            else runningTogether++
            for (let ticked = 0; ticked <= ticks; ticked++) {
              expect(runningAlone).toBeLessThanOrEqual(1)
              expect(runningAlone === 0 || runningTogether === 0).toBe(true)
              await tick()
            }
            if (isAlone) runningAlone--
            else runningTogether--
            if (isFailing) throw new Error(`work ${index}`)
            return index
          })
        })
        const settled = await Promise.allSettled(outcomes)
        expect(settled.map(({ status }) => status)).toEqual(
          works.map(({ isFailing }) => (isFailing ? 'rejected' : 'fulfilled')),
        )
        for (const one of settled) if (one.status === 'rejected') expect(String(one.reason)).toMatch(/work \d/)
      },
    ),
    { numRuns: 60 },
  )
})

it('lets work that may go on together go on together', async () => {
  const { together } = turns()
  let running = 0
  const maxima = await Promise.all(
    [1, 2, 3].map(() =>
      together(async () => {
        running++
        await tick()
        return running
      }),
    ),
  )
  expect(maxima).toEqual([3, 3, 3])
})
