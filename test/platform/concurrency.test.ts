import { describe, expect, test } from 'vitest'
import { mapAhead, mapPulled, mapWithLimit } from '../../src/platform/concurrency.ts'

const pause = () => new Promise<void>(resolve => setImmediate(resolve))

/** Counts how many are at work at once, and how many have begun. */
function gauge() {
  const seen = { running: 0, runningMax: 0, begun: 0 }
  const work = async (item: number): Promise<number> => {
    seen.begun++
    seen.running++
    seen.runningMax = Math.max(seen.runningMax, seen.running)
    for (let wait = 0; wait <= item % 3; wait++) await pause()
    seen.running--
    if (item === 13) throw new Error('thirteen')
    return item * 2
  }
  return { seen, work }
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

async function* pulled(count: number, onClose: () => void): AsyncGenerator<number> {
  try {
    for (const number of numbers(count)) yield number
  } finally {
    onClose()
  }
}

describe.each([
  ['mapWithLimit', mapWithLimit],
  ['mapPulled', mapPulled],
])('%s', (_, map) => {
  test('keeps results in order and no more at once than the limit', async () => {
    const { seen, work } = gauge()
    expect(await map(numbers(12), 4, work)).toEqual(numbers(12).map(number => number * 2))
    expect(seen.runningMax).toBe(4)
    expect(await map([], 4, work)).toEqual([])
  })

  test('begins nothing new after a failure, and throws it', async () => {
    const { seen, work } = gauge()
    await expect(map(numbers(100), 4, work)).rejects.toThrow('thirteen')
    expect(seen.begun).toBeLessThan(20)
  })
})

describe('mapPulled', () => {
  test('closes its source and waits for what runs when one fails', async () => {
    const { seen, work } = gauge()
    let isClosed = false
    const source = pulled(100, () => (isClosed = true))
    await expect(mapPulled(source, 4, work)).rejects.toThrow('thirteen')
    expect({ isClosed, running: seen.running }).toEqual({ isClosed: true, running: 0 })
  })

  test('waits for what runs when the source fails', async () => {
    const { seen, work } = gauge()
    async function* failing(): AsyncGenerator<number> {
      yield* numbers(3)
      throw new Error('dried up')
    }
    await expect(mapPulled(failing(), 4, work)).rejects.toThrow('dried up')
    expect(seen).toMatchObject({ begun: 3, running: 0 })
  })
})

describe('mapAhead', () => {
  test('gives results in order, as they are asked for, with no more than the limit begun', async () => {
    const { seen, work } = gauge()
    const results: number[] = []
    for await (const result of mapAhead([1, 2, 3, 4, 5, 6, 7], 3, work)) {
      results.push(result)
      expect(seen.begun).toBeLessThanOrEqual(results.length + 2)
    }
    expect(results).toEqual([2, 4, 6, 8, 10, 12, 14])
    expect(seen.runningMax).toBe(3)
  })

  test('throws a failure in its turn', async () => {
    const results: number[] = []
    const { work } = gauge()
    const all = async () => {
      for await (const result of mapAhead([1, 13, 2], 3, work)) results.push(result)
    }
    await expect(all()).rejects.toThrow('thirteen')
    expect(results).toEqual([2])
  })
})
