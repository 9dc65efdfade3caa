// What every user store promises to a repair: an item is replaced where it is still exactly the one that was read, whatever is the
// matter with it.
import { expect, it } from 'vitest'
import { type Attributes, toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import { withBitFlipped } from '../store/damage.ts'
import { typicalItem } from '../store/item-factory.ts'
import { expectSame, type UserStoreUnderTest } from './user-store.ts'

/** Whatever is the matter with an item, a put may assert that it is still that very one. */
export function repairsContract(under: () => UserStoreUnderTest): void {
  const damages: Readonly<Record<string, Attributes>> = {
    'a version of another type': { v: { S: 'one' } },
    'a version that is no whole number': { v: { N: '1.5' } },
    'text for a blob': { st: { S: 'torn' } },
    'null for a blob': { pr: { NULL: true } },
    'a set of numbers for imports': { imports: { NS: ['1', '2'] } },
    'a list for a map': { models: { L: [{ S: 'a' }] } },
    'a map for a time': { at: { M: { x: { N: '1' } } } },
    'bytes for definitions': { definitions: { B: new Uint8Array([1, 2]) } },
  }
  const mended = (userId: string): StoredItem => typicalItem(userId, { v: 1_000_000_000 })

  it.each(Object.entries(damages))(
    'replaces an item with %s where it is still that, and only there',
    async (name, damage) => {
      const { store, plant } = under()
      const userId = `repair ${name}`
      const attributes: Attributes = { ...toAttributes(typicalItem(userId)), ...damage }
      await plant(attributes)
      const read = corruptOf(await store.load(userId))
      for (const changed of ['v', 'at', 'asOf', 'fresh', 'definitions', 'imports', 'dedup', 'st', 'ft', 'pr', 'sum']) {
        const { [changed]: _, ...without } = attributes
        for (const now of [without, { ...attributes, [changed]: { N: '7' } }]) {
          await plant(now)
          expect(await store.put(mended(userId), read), changed).toMatchObject({ outcome: 'conflict' })
        }
      }
      await plant({ ...attributes, ttl: { N: '1' } })
      expect(await store.put(mended(userId), read)).toEqual({ outcome: 'written' })
      expectSame(await store.load(userId), mended(userId))
      expect(await store.put(mended(userId), read)).toMatchObject({
        outcome: 'conflict',
        current: { v: 1_000_000_000 },
      })
    },
  )

  it('replaces what is a key and nothing else, and brings back nothing that is gone', async () => {
    const { store, plant } = under()
    await plant({ userId: { S: 'only a key' } })
    const read = corruptOf(await store.load('only a key'))
    expect(await store.put(mended('only a key'), read)).toEqual({ outcome: 'written' })
    const gone: CorruptItem = { userId: 'never there', corrupt: 'v: nothing', stored: { userId: { S: 'never there' } } }
    expect(await store.put(mended('never there'), gone)).toEqual({ outcome: 'conflict', current: undefined })
    await expect(store.put(mended('only a key'), gone)).rejects.toMatchObject({ code: 'item-invalid' })
  })

  it('replaces a readable item where it is still that very one, not merely of its version', async () => {
    const { store, plant } = under()
    const torn: StoredItem = { ...typicalItem('torn'), st: new Uint8Array([1, 2, 3]) }
    await plant(toAttributes(torn))
    for (const change of [
      { st: new Uint8Array([1, 2]) },
      { dedup: new Uint8Array([9]) },
      { sum: new Uint8Array([9]) },
    ]) {
      const outcome = await store.put(typicalItem('torn', { v: 2 }), { ...torn, ...change })
      expect(outcome).toMatchObject({ outcome: 'conflict' })
    }
    await expect(store.put(typicalItem('torn', { v: 3 }), torn)).rejects.toMatchObject({ code: 'item-invalid' })
    expect(await store.put(typicalItem('torn', { v: 2 }), torn)).toEqual({ outcome: 'written' })
  })

  it('hands over nothing as sound that `sum` does not agree with: nobody behind it looks at that again', async () => {
    const { store, plant } = under()
    const sound = toAttributes(typicalItem('changed'))
    const changes: readonly Attributes[] = [
      { at: { N: '1' } },
      { definitions: { S: 'others' } },
      { v: { N: '7' } },
      { sum: toAttributes(typicalItem('another')).sum as Attributes[string] },
      { sum: { B: withBitFlipped(typicalItem('changed').sum, 9) } },
    ]
    for (const change of changes) {
      await plant({ ...sound, ...change })
      const scanned: (StoredItem | CorruptItem)[] = []
      for await (const page of store.scan(0, 1)) scanned.push(...page.filter(({ userId }) => userId === 'changed'))
      const many = (await store.loadMany(['changed'])).get('changed')
      const met = await store.put(typicalItem('changed', { v: 9 }), 8)
      for (const found of [
        await store.load('changed'),
        many,
        ...scanned,
        met.outcome === 'conflict' ? met.current : undefined,
      ]) {
        expect(found, JSON.stringify(change)).toHaveProperty('corrupt')
      }
      expect(scanned).toHaveLength(1)
    }
  })

  it('hands over all that is there of a corrupt item', async () => {
    const { store, plant } = under()
    const attributes: Attributes = { ...toAttributes(typicalItem('all')), v: { S: 'one' }, ttl: { N: '5' } }
    await plant(attributes)
    const { stored } = corruptOf(await store.load('all'))
    expect(Object.keys(stored).sort()).toEqual(Object.keys(attributes).sort())
    expect(stored).toMatchObject({ v: { S: 'one' }, ttl: { N: '5' }, definitions: attributes['definitions'] })
  })
}

function corruptOf(item: StoredItem | CorruptItem | undefined): CorruptItem {
  if (item === undefined || !isCorrupt(item)) throw new Error('the item is not corrupt')
  return item
}
