import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fifo } from '../../localstack/fifo.ts'

it('is a list from which the first are taken, however many have gone before', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 900 }), fc.nat({ max: 900 })), { maxLength: 20 }), steps => {
      const queue = fifo<number>()
      const list: number[] = []
      let next = 0
      for (const [pushed, taken] of steps) {
        for (let index = 0; index < pushed; index++) {
          queue.push(next)
          list.push(next++)
        }
        expect(queue.take(taken)).toEqual(list.splice(0, taken))
        expect([queue.length, queue.first, queue.at(3)]).toEqual([list.length, list[0], list[3]])
      }
      expect(queue.shift()).toBe(list.shift())
    }),
  )
})
