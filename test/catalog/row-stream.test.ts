import { expect, test } from 'vitest'
import { RowStream } from '../../src/catalog/row-stream.ts'

function partsOf(...parts: readonly (readonly number[] | Error)[]) {
  const seen = { pulled: 0, isClosed: false }
  async function* pull(): AsyncGenerator<readonly number[]> {
    try {
      for (const part of parts) {
        seen.pulled++
        if (part instanceof Error) throw part
        yield part
      }
    } finally {
      seen.isClosed = true
    }
  }
  return { seen, stream: new RowStream(pull()) }
}

test('hands on all rows in order, and pulls a part when it is wanted', async () => {
  const { seen, stream } = partsOf([1, 2], [], [3])
  expect(await stream.next()).toEqual({ value: 1, done: false })
  expect(seen.pulled).toBe(1)
  const rest: number[] = []
  for await (const row of stream) rest.push(row)
  expect(rest).toEqual([2, 3])
  expect(await stream.next()).toEqual({ value: undefined, done: true })
})

test('closes its parts when a loop ends early', async () => {
  const { seen, stream } = partsOf([1, 2], [3])
  for await (const row of stream) if (row === 1) break
  expect(seen).toEqual({ pulled: 1, isClosed: true })
  expect(await stream.next()).toEqual({ value: undefined, done: true })
})

test('keeps the order of those that ask at once', async () => {
  const { stream } = partsOf([1, 2], [3])
  const asked = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()])
  expect(asked.map(({ value }) => value)).toEqual([1, 2, 3, undefined])
})

test('fails where a part does, after the rows before it', async () => {
  const { stream } = partsOf([1], new Error('damaged'))
  expect(await stream.next()).toEqual({ value: 1, done: false })
  await expect(stream.next()).rejects.toThrow('damaged')
})
