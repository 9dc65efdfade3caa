import fc from 'fast-check'
import { expect, it } from 'vitest'
import { userBucket } from '../../src/platform/hash.ts'
import { Sampler, sampleOfNamed } from '../../src/replay/verify-sample.ts'

function sampled(seed: string, users: number, ids: readonly string[]) {
  const sampler = new Sampler({ seed, users })
  for (const id of ids) sampler.add(id)
  return sampler.finish()
}

const ids = Array.from({ length: 25_000 }, (_, index) => `user-${index}`)

it('chooses as many as are wanted, the same in whatever order they come, in a few buckets', () => {
  const { sample, found } = sampled('a', 500, ids)
  expect(found).toHaveLength(500)
  expect(sampled('a', 500, ids.toReversed()).found.toSorted()).toEqual(found.toSorted())
  expect(sampled('b', 500, ids).found.toSorted()).not.toEqual(found.toSorted())
  expect(sample.buckets.length).toBeLessThan(4)
  expect(new Set(found.map(userBucket))).toEqual(new Set(sample.buckets))
  expect(ids.filter(sample.isChosen).toSorted()).toEqual(found.toSorted())
})

it('chooses everybody where there are no more, and users that were not added too', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 20 }), fc.nat(5), (few, more) => {
      const { sample, found } = sampled('a', few.length + more, few)
      expect(found.toSorted()).toEqual(few.toSorted())
      expect(sample.buckets).toHaveLength(64)
      expect(sample.isChosen('anybody')).toBe(true)
    }),
    { numRuns: 30 },
  )
})

it('takes those that are named, in their buckets', () => {
  const { isChosen, buckets, userIds } = sampleOfNamed(['ana', 'ben', 'ana'])
  expect([isChosen('ana'), isChosen('carl')]).toEqual([true, false])
  expect(new Set(buckets)).toEqual(new Set([userBucket('ana'), userBucket('ben')]))
  expect([...(userIds ?? [])]).toEqual(['ana', 'ben'])
})
