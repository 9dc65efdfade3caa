// What every user store promises, run on the in-memory fake and on an emulated DynamoDB table alike: whatever is tested on the
// fake elsewhere holds for the real one as far as this suite reaches.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Attributes } from '../../src/store/dynamodb-attributes.ts'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { type CorruptItem, KEYS_PER_READ_MAX, type StoredItem, type UserStore } from '../../src/store/user-item.ts'
import { resummed } from '../store/damage.ts'
import { typicalItem } from '../store/item-factory.ts'
import { repairsContract } from './user-store-repairs.ts'

export interface UserStoreUnderTest {
  readonly store: UserStore
  /** Writes raw attributes, as another program would. */
  readonly plant: (attributes: Attributes) => Promise<void>
  readonly raw: (userId: string) => Promise<Attributes | undefined>
  readonly close: () => Promise<void>
}

export function userStoreContract(name: string, open: () => Promise<UserStoreUnderTest>): void {
  describe(`${name} keeps the user store's contract`, () => {
    let under: UserStoreUnderTest
    beforeAll(async () => {
      under = await open()
    })
    afterAll(() => under.close())

    readingAndWriting(() => under)
    versions(() => under)
    strangers(() => under)
    repairsContract(() => under)
    scanning(() => under)
  })
}

function readingAndWriting(under: () => UserStoreUnderTest): void {
  it('gives back what was put, bytes exact', async () => {
    const { store } = under()
    const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index)
    const blobs = { st: everyByte, ft: everyByte.toReversed(), pr: new Uint8Array([0]) }
    const item = resummed(typicalItem('exact'), blobs)
    expect(await store.put(item, undefined)).toEqual({ outcome: 'written' })
    expectSame(await store.load('exact'), item)
    expectSame((await store.loadMany(['exact'])).get('exact'), item)
  })

  it('keeps an item without `fresh`, models and imports as it is', async () => {
    const { store } = under()
    const item = typicalItem('bare', { fresh: undefined, models: {}, imports: [] })
    await store.put(item, undefined)
    expectSame(await store.load('bare'), item)
    expect(await under().raw('bare')).not.toHaveProperty('imports')
  })

  it('keeps user ids and model names apart that look alike', async () => {
    const { store } = under()
    const ids = ['\u00fc', 'u\u0308', 'U', 'u', '__proto__', 'constructor', '\u{10ffff}', 'a'.repeat(256)]
    for (const [index, userId] of ids.entries()) {
      await store.put(typicalItem(userId, { models: { [`model ${index}`]: `batch ${index}` } }), undefined)
    }
    const found = await store.loadMany(ids)
    expect([...found.keys()].sort()).toEqual([...ids].sort())
    for (const [index, userId] of ids.entries()) {
      expect(found.get(userId)).toMatchObject({ userId, models: { [`model ${index}`]: `batch ${index}` } })
    }
  })

  it('gives imports back as a set in code point order', async () => {
    const { store } = under()
    const item = typicalItem('imports', { imports: ['20160102-b', '20160101-a', '20160103-c'] })
    await store.put(item, undefined)
    expect(await store.load('imports')).toMatchObject({ imports: ['20160101-a', '20160102-b', '20160103-c'] })
  })

  it('reads 0, 1 and 100 users at once, leaves out the absent ones and refuses 101', async () => {
    const { store } = under()
    const ids = Array.from({ length: KEYS_PER_READ_MAX }, (_, index) => `many-${index}`)
    await Promise.all(ids.filter((_, index) => index % 2 === 0).map(id => store.put(typicalItem(id), undefined)))
    expect(await store.loadMany([])).toEqual(new Map())
    expect([...(await store.loadMany(['many-0'])).keys()]).toEqual(['many-0'])
    expect([...(await store.loadMany(ids)).keys()].sort()).toEqual(ids.filter((_, index) => index % 2 === 0).sort())
    await expect(store.loadMany([...ids, 'one-more'])).rejects.toMatchObject({
      code: 'too-many-keys',
      retriable: false,
    })
  })

  it('reads a user named twice once', async () => {
    const { store } = under()
    await store.put(typicalItem('twice'), undefined)
    expect((await store.loadMany(['twice', 'twice'])).size).toBe(1)
  })

  it('answers undefined for a user that it does not know', async () => {
    expect(await under().store.load('nobody')).toBeUndefined()
  })

  it('is not changed by what a caller does to its items afterwards', async () => {
    const { store } = under()
    const item = typicalItem('mutated')
    const before = structuredClone(item)
    await store.put(item, undefined)
    item.st.fill(0)
    const read = await store.load('mutated')
    expectSame(read, before)
    if (read !== undefined && 'st' in read) read.st.fill(0)
    expectSame(await store.load('mutated'), before)
  })
}

function versions(under: () => UserStoreUnderTest): void {
  it('writes a new user only where there is none', async () => {
    const { store } = under()
    const first = typicalItem('new')
    await store.put(first, undefined)
    const outcome = await store.put(typicalItem('new', { at: 1 }), undefined)
    expect(outcome.outcome).toBe('conflict')
    expectSame(currentOf(outcome), first)
    expectSame(await store.load('new'), first)
  })

  it('writes over the version that was read and no other', async () => {
    const { store } = under()
    await store.put(typicalItem('steps'), undefined)
    expect(await store.put(typicalItem('steps', { v: 2, at: 2 }), 1)).toEqual({ outcome: 'written' })
    const stale = await store.put(typicalItem('steps', { v: 2, at: 3 }), 1)
    expect(stale).toMatchObject({ outcome: 'conflict', current: { v: 2, at: 2 } })
    expect(await store.load('steps')).toMatchObject({ v: 2, at: 2 })
  })

  it('does not bring back a user that is gone', async () => {
    const { store } = under()
    expect(await store.put(typicalItem('gone', { v: 8 }), 7)).toEqual({ outcome: 'conflict', current: undefined })
    expect(await store.load('gone')).toBeUndefined()
  })

  it('refuses a version that does not follow the one that was read', async () => {
    const { store } = under()
    await expect(store.put(typicalItem('skipped', { v: 2 }), undefined)).rejects.toMatchObject({ code: 'item-invalid' })
    await expect(store.put(typicalItem('skipped', { v: 5 }), 5)).rejects.toMatchObject({ code: 'item-invalid' })
    expect(await store.load('skipped')).toBeUndefined()
  })

  it('lets exactly one of 32 writers win, for a new user and for a known one', async () => {
    const { store } = under()
    for (const expected of [undefined, 1]) {
      const writers = Array.from({ length: 32 }, (_, at) => typicalItem('race', { v: (expected ?? 0) + 1, at }))
      const outcomes = await Promise.all(writers.map(item => store.put(item, expected)))
      const winners = outcomes.flatMap(({ outcome }, index) => (outcome === 'written' ? [index] : []))
      expect(winners).toHaveLength(1)
      const stored = await store.load('race')
      expect(stored).toMatchObject({ v: (expected ?? 0) + 1, at: winners[0] })
      for (const outcome of outcomes) if (outcome.outcome === 'conflict') expectSame(outcome.current, stored)
    }
  })
}

function strangers(under: () => UserStoreUnderTest): void {
  it('carries attributes that it does not know through a write, whatever their type', async () => {
    const { store, plant, raw } = under()
    const unknown: Attributes = {
      ttl: { N: '1454241600' },
      note: { S: 'from another release' },
      bytes: { B: new Uint8Array([0, 255, 7]) },
      tree: { M: { list: { L: [{ N: '1' }, { BOOL: true }, { NULL: true }] }, set: { SS: ['a', 'b'] } } },
    }
    await plant({ ...toAttributes(typicalItem('unknown')), ...unknown })
    const read = await store.load('unknown')
    if (read === undefined || !('other' in read)) throw new Error('the item was not read')
    await store.put(typicalItem('unknown', { v: 2, other: read.other }), 1)
    expect(await raw('unknown')).toMatchObject({ ...unknown, v: { N: '2' } })
  })

  it('reports an attribute of another type, and the users beside it as they are', async () => {
    const { store, plant } = under()
    const sound = toAttributes(typicalItem('sound'))
    await plant(sound)
    const damages: Record<string, Attributes> = {
      v: { v: { S: '1' } },
      'v ': { v: { N: '1.5' } },
      'v  ': { v: { N: '0' } },
      at: { at: { N: '12345678901234567890' } },
      fresh: { fresh: { B: new Uint8Array([1]) } },
      definitions: { definitions: { N: '1' } },
      models: { models: { M: { churn: { N: '1' } } } },
      imports: { imports: { NS: ['1'] } },
      dedup: { dedup: { S: 'text' } },
      st: { st: { L: [] } },
      pr: { pr: { NULL: true } },
      sum: { sum: { BOOL: false } },
    }
    for (const [key, damage] of Object.entries(damages))
      await plant({ ...sound, userId: { S: `bad ${key}` }, ...damage })
    const required = ['st', 'definitions']
    for (const name of required) {
      const without = Object.entries(sound).filter(([other]) => other !== name)
      await plant({ ...Object.fromEntries(without), userId: { S: `missing ${name}` } })
    }
    const ids = [...Object.keys(damages).map(key => `bad ${key}`), ...required.map(name => `missing ${name}`)]
    const found = await store.loadMany([...ids, 'sound'])
    expectSame(found.get('sound'), typicalItem('sound'))
    for (const userId of ids) {
      const attribute = userId.replace(/^(bad|missing) /, '').trim()
      expect(found.get(userId)).toMatchObject({ userId, corrupt: expect.stringMatching(new RegExp(`^${attribute}: `)) })
      expect(await store.load(userId)).toEqual(found.get(userId))
    }
  })

  it('hands a corrupt item to the writer that meets it, and leaves it as it is', async () => {
    const { store, plant, raw } = under()
    const attributes: Attributes = { ...toAttributes(typicalItem('met')), v: { S: 'one' } }
    await plant(attributes)
    const outcome = await store.put(typicalItem('met', { v: 2 }), 1)
    expect(outcome).toMatchObject({ outcome: 'conflict', current: { userId: 'met' } })
    expect(currentOf(outcome)).toHaveProperty('corrupt')
    expect(await raw('met')).toMatchObject({ v: { S: 'one' } })
  })

  it('reads imports that were written as a list', async () => {
    const { store, plant } = under()
    const item = typicalItem('list', { imports: ['a', 'b'] })
    await plant({ ...toAttributes(item), imports: { L: [{ S: 'b' }, { S: 'a' }] } })
    expect(await store.load('list')).toMatchObject({ imports: ['a', 'b'] })
  })
}

function scanning(under: () => UserStoreUnderTest): void {
  it('scans every user exactly once, over all segments, corrupt ones included, in pages of which none is empty', async () => {
    const { store, plant } = under()
    const ids = Array.from({ length: 60 }, (_, index) => `scan-${index}`)
    await Promise.all(ids.map(id => store.put(typicalItem(id), undefined)))
    await plant({ userId: { S: 'scan-corrupt' } })
    const segments = 3
    const pages = await Promise.all(
      Array.from({ length: segments }, (_, segment) => collect(store.scan(segment, segments))),
    )
    const all = pages.flat()
    expect(all.length).toBeGreaterThan(segments)
    expect(all.every(page => page.length > 0)).toBe(true)
    const seen = all
      .flat()
      .map(item => item.userId)
      .filter(id => id.startsWith('scan-'))
    expect(seen.sort()).toEqual([...ids, 'scan-corrupt'].sort())
    const sixth = all.flat().find(item => item.userId === 'scan-6')
    expectSame(sixth, typicalItem('scan-6'))
  })

  it('goes on after a user that a scan of the segment has given', async () => {
    const { store } = under()
    const ids = Array.from({ length: 20 }, (_, index) => `goes-on-${index}`)
    await Promise.all(ids.map(id => store.put(typicalItem(id), undefined)))
    const segments = 2
    const whole = (await collect(store.scan(1, segments))).flat().map(item => item.userId)
    expect(whole.length).toBeGreaterThan(2)
    for (const at of [0, Math.floor(whole.length / 2), whole.length - 1]) {
      const rest = await collect(store.scan(1, segments, whole[at]))
      expect(rest.flat().map(item => item.userId)).toEqual(whole.slice(at + 1))
    }
  })
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const value of source) found.push(value)
  return found
}

function currentOf(outcome: Awaited<ReturnType<UserStore['put']>>): StoredItem | CorruptItem | undefined {
  return outcome.outcome === 'conflict' ? outcome.current : undefined
}

/** Buffers and Uint8Arrays of the same bytes are the same here. */
export function expectSame(
  actual: StoredItem | CorruptItem | undefined,
  expected: StoredItem | CorruptItem | undefined,
): void {
  expect(plainBytes(actual)).toEqual(plainBytes(expected))
}

function plainBytes(item: StoredItem | CorruptItem | undefined): unknown {
  if (item === undefined) return undefined
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ]),
  )
}
