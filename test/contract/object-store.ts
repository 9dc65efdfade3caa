// What every object store promises, run on the fake and on S3's emulator alike.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256Hex } from '../../src/platform/hash.ts'
import type { ObjectInfo, ObjectStore } from '../../src/platform/object-store.ts'

export interface ObjectStoreUnderTest {
  readonly store: ObjectStore
  /** Keys a page of listings: small, so that a few objects make several pages. */
  readonly pageKeysMax: number
  readonly stop: () => Promise<void>
}

export interface ObjectStoreContract {
  start(): Promise<ObjectStoreUnderTest>
  /** No emulator on npm enforces create-if-absent against a race; the fake and S3 do. */
  readonly oneRacerWins: boolean
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export function objectStoreContract(name: string, contract: ObjectStoreContract): void {
  describe(`${name} as an object store`, () => {
    let underTest: ObjectStoreUnderTest
    let store: ObjectStore
    beforeAll(async () => {
      underTest = await contract.start()
      store = underTest.store
    })
    afterAll(() => underTest.stop())

    test('gives back the bytes it was given', async () => {
      const body = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31 + (index >> 8)) & 255)
      expect(await store.create('plain/binary', body, { contentType: 'application/octet-stream' })).toBe('created')
      expect(Buffer.from((await store.get('plain/binary')) ?? []).equals(body)).toBe(true)
    })

    test('keeps an empty object apart from a missing one', async () => {
      expect(await store.create('plain/empty', new Uint8Array(0))).toBe('created')
      expect((await store.get('plain/empty'))?.byteLength).toBe(0)
      expect(await store.get('plain/never-written')).toBeUndefined()
    })

    test('tells of an object what it was told when it was created', async () => {
      const [body, sha256] = [bytes('told of'), sha256Hex('told of')]
      expect(await store.create('plain/told', body, { sha256, metadata: { rows: '7' } })).toBe('created')
      const stat = await store.stat('plain/told')
      expect(stat).toMatchObject({ bytes: 7, metadata: { rows: '7' } })
      // Emulators may forget it; nobody may answer another one.
      expect([sha256, undefined]).toContain(stat?.sha256)
      expect(await store.create('plain/untold', body)).toBe('created')
      expect(await store.stat('plain/untold')).toEqual({ bytes: 7, sha256: undefined, metadata: {} })
      expect(await store.stat('plain/never-written')).toBeUndefined()
    })

    test('leaves an object as it is when its key is created again', async () => {
      expect(await store.create('plain/once', bytes('first'))).toBe('created')
      expect(await store.create('plain/once', bytes('second'))).toBe('exists')
      expect(Buffer.from((await store.get('plain/once')) ?? []).toString()).toBe('first')
    })

    test('does not share memory with its callers', async () => {
      const body = bytes('mine')
      await store.create('plain/owned', body)
      body.fill(0)
      const read = await store.get('plain/owned')
      read?.fill(1)
      expect(Buffer.from((await store.get('plain/owned')) ?? []).toString()).toBe('mine')
    })

    test('keeps keys with equals signs, spaces and letters beyond ASCII', async () => {
      const key = 'odd/date=2001-06-30/a b+ü.json'
      await store.create(key, bytes('{}'), { contentType: 'application/json' })
      expect(await collect(store.list('odd/'))).toEqual([{ key, bytes: 2, createdMs: expect.any(Number) }])
      expect(await store.get(key)).toHaveLength(2)
    })

    test('lists the keys under a prefix in order, over several pages', async () => {
      const count = underTest.pageKeysMax * 3
      const keys = Array.from({ length: count }, (_, index) => `pages/${String(index).padStart(3, '0')}`)
      for (const key of keys.toReversed()) await store.create(key, bytes(key))
      await store.create('pages-not-these/000', bytes('x'))
      const listed = await collect(store.list('pages/'))
      expect(listed).toEqual(keys.map(key => ({ key, bytes: key.length, createdMs: expect.any(Number) })))
      const rest = await collect(store.list('pages/', { startAfter: 'pages/001' }))
      expect(rest.map(({ key }) => key)).toEqual(keys.slice(2))
    })

    test('lists nothing where there is nothing', async () => {
      expect(await collect(store.list('nothing-here/'))).toEqual([])
    })

    if (!contract.oneRacerWins) return
    test('lets one of many racing creators win', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) => store.create('plain/raced', bytes(`racer ${index}`))),
      )
      expect(outcomes.filter(outcome => outcome === 'created')).toHaveLength(1)
      const winner = outcomes.indexOf('created')
      expect(Buffer.from((await store.get('plain/raced')) ?? []).toString()).toBe(`racer ${winner}`)
    })
  })
}

async function collect(listing: AsyncIterable<ObjectInfo>): Promise<ObjectInfo[]> {
  const all: ObjectInfo[] = []
  for await (const info of listing) all.push(info)
  return all
}
