import { expect, it } from 'vitest'
import { pinnedSource } from '../../src/model/pinned-source.ts'
import { artifactOf } from './factories.ts'

function pinned(batchId: string | undefined) {
  const asked: string[] = []
  const opened: string[] = []
  const artifact = artifactOf('wide')
  const source = pinnedSource({
    name: 'churn',
    batchId,
    registry: { artifact: async (name, batch) => (asked.push(`${name} ${batch}`), artifact) },
    openSession: async ({ manifest }, batch) => {
      opened.push(batch)
      return { name: manifest.name, batchId: batch, manifest, run: () => Promise.reject(new Error('not run here')) }
    },
  })
  return { source, asked, opened }
}

it('gives the version that it is pinned to, opened once, whatever is in production', async () => {
  const { source, asked, opened } = pinned('b1')
  expect(await source.batchId()).toBe('b1')
  expect(asked).toEqual([])
  expect((await source.session())?.batchId).toBe('b1')
  await source.session()
  expect(asked).toEqual(['churn b1'])
  expect(opened).toEqual(['b1'])
})

it('gives none where none was in production', async () => {
  const { source, asked } = pinned(undefined)
  expect([await source.batchId(), await source.session()]).toEqual([undefined, undefined])
  expect(asked).toEqual([])
})
