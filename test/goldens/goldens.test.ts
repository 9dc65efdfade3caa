// The stored bytes of every release, read by today's code: what they meant when they were written, they mean for ever.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { evaluateFeatures } from '../../src/features/evaluate.ts'
import { stateProblem, type UserState } from '../../src/features/state.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import type { Pipeline } from '../../src/predictions/pipeline.ts'
import { decodeItem, encodeItem, isUnreadable } from '../../src/store/item-codec.ts'
import { isCorrupt, type StoredItem } from '../../src/store/user-item.ts'
import {
  GOLDENS,
  plainFile,
  readJson,
  readStored,
  RELEASED_FILE,
  releases,
  storedHashes,
  type StoredWorld,
} from './golden-files.ts'
import { asJson, openWorld, plainItem, READERS } from './golden-readers.ts'

interface PlainItem {
  readonly features: { readonly values: unknown }
}

describe.each(releases())('the goldens of %s', release => {
  const stored = readStored(release)

  it.each(Object.keys(READERS))('mean what they meant: %s', async kind => {
    expect(asJson(await READERS[kind]?.(openWorld(stored)))).toEqual(readJson(plainFile(release, kind)))
  })

  it('have a plain file for each reader, and no other', () => {
    const files = readdirSync(join(GOLDENS, release, 'plain')).map(name => name.replace('.golden.json', ''))
    expect(files.sort()).toEqual(Object.keys(READERS).sort())
  })

  it('are read, every object of them', async () => {
    const world = openWorld(stored)
    for (const read of Object.values(READERS)) await read(world)
    const keys = [...stored.archive.keys(), ...stored.catalogBucket.keys()]
    expect(keys.filter(key => !world.read.has(key))).toEqual([])
  })

  it('have each kind of what is stored', () => {
    expect(kindsOf(stored)).toEqual([
      'archive aws',
      'archive cleared',
      'archive closed',
      'archive corrupt',
      'archive deadletters',
      'archive doubt',
      'archive raw',
      'catalog definitions.shop',
      'catalog models.churn',
      'catalog operations.shop',
      'catalog shop.events',
      'catalog shop.imported_events',
      'catalog shop.training_churn',
      'catalog shop.users',
      'item batch',
      'item log',
      'item schema',
      'user',
    ])
  })

  it('have items whose state the definitions of then still evaluate to the features of then', async () => {
    const { default: pipeline } = (await import(`./${release}/pipeline.ts`)) as { readonly default: Pipeline }
    const { features: plan, definitions } = compilePipeline(pipeline)
    const own = itemsOf(stored).filter(item => item.definitions === definitions)
    expect(own.length).toBeGreaterThan(3)
    for (const item of own) {
      const decoded = decodeItem(item)
      if (isUnreadable(decoded)) throw new Error(decoded.reason)
      expect(stateProblem(plan, decoded.state)).toBeUndefined()
      const { values } = evaluateFeatures(plan, decoded.state as UserState, item.at, item.asOf)
      expect(asJson(values)).toEqual(asJson((plainItem(item) as PlainItem).features.values))
    }
  })

  it('would be written again as the same plain content', () => {
    for (const item of itemsOf(stored)) {
      const decoded = decodeItem(item)
      if (isUnreadable(decoded)) throw new Error(decoded.reason)
      const { features, predictions } = plainItem(item) as { features: unknown; predictions: unknown }
      const again = encodeItem({
        ...item,
        dedup: decoded.dedup,
        state: JSON.stringify(decoded.state),
        features: JSON.stringify(features),
        predictions: JSON.stringify(predictions),
      })
      expect(plainItem(again)).toEqual(plainItem(item))
      expect([...again.dedup]).toEqual([...item.dedup])
    }
  })

  it('are the bytes that were released, once they are', () => {
    const path = join(GOLDENS, release, RELEASED_FILE)
    if (existsSync(path)) expect(storedHashes(release)).toEqual(readJson(path))
    else expect(release).toBe(releases().at(-1))
  })
})

function itemsOf(stored: StoredWorld): StoredItem[] {
  return openWorld(stored)
    .users.items()
    .flatMap(item => (isCorrupt(item) ? [] : item))
}

/** The first part of the key in the archive, tables in the catalogue's bucket, kinds of its items. */
function kindsOf({ archive, catalogBucket, catalogItems, userItems }: StoredWorld): readonly string[] {
  const kinds = new Set([
    ...[...archive.keys()].map(key => `archive ${key.split('/')[0]}`),
    ...[...catalogBucket.keys()].map(key => `catalog ${key.split('/').slice(0, 2).join('.')}`),
    ...catalogItems.map(item => `item ${item['sk']?.S?.split('#')[0]}`),
    ...userItems.map(() => 'user'),
  ])
  return [...kinds].sort()
}
