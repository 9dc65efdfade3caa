// How a deployment comes to its mirror: the prefix of its databases, and what a function may do there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { connectMirror } from '../../src/compose/connect-mirror.ts'
import { functionMirror } from '../../src/compose/function-mirror.ts'
import { databasePrefix, PREFIX_VARIABLE, suggestedPrefix } from '../../src/compose/glue-database-prefix.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import { catalogOver } from '../catalog/factories.ts'
import { memoryCatalogStore } from '../fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'
import { recordingTelemetry } from './recording.ts'
import { ROOT } from '../tidy/source-files.ts'

const named = (pipeline: string, stage: string) => resourceNames({ pipeline, stage, accountId: LOCAL_ACCOUNT_ID })

describe('the prefix of databases', () => {
  it('is absent where there is no mirror', () => {
    expect(databasePrefix(undefined)).toBeUndefined()
    expect(databasePrefix('')).toBeUndefined()
  })

  it.each(['Shop', 'shop-dev', '1shop', '_shop', 'shop*', 'shop dev'])('"%s" is refused', text => {
    expect(() => databasePrefix(text)).toThrow(expect.objectContaining({ code: 'environment-invalid' }))
  })

  it('is suggested so that permissions of one stage never reach another, whatever they are called', () => {
    const prefixes = [named('shop', 'dev'), named('shop', 'dev-2'), named('web-shop', 'dev')].map(suggestedPrefix)
    expect(prefixes).toEqual(['shop_dev__', 'shop_dev_2__', 'web_shop_dev__'])
    for (const prefix of prefixes) {
      expect(databasePrefix(prefix)).toBe(prefix)
      expect(prefixes.filter(other => other.startsWith(prefix))).toEqual([prefix])
    }
  })
})

describe('the mirror of the command line', () => {
  const stores = { store: memoryCatalogStore(), objects: memoryObjectStore(), names: named('shop', 'dev') }

  it('is asked for by the same variable as that of functions, and says how where it is not', async () => {
    const off = connectMirror({}, () => undefined)
    expect(off.observe).toBeUndefined()
    await expect(off.ports(stores)).rejects.toMatchObject({
      code: 'mirror-off',
      next: expect.stringContaining('shop_dev__'),
    })
    const on = connectMirror(
      { [PREFIX_VARIABLE]: 'shop_dev__', AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
      () => undefined,
    )
    const { options } = await on.ports(stores)
    expect(options).toEqual({
      databasePrefix: 'shop_dev__',
      catalogName: 'shop-dev-catalog',
      bucket: 'shop-dev-catalog-000000000000',
    })
    on.close()
  })
})

describe('the mirror of a function', () => {
  afterEach(() => vi.unstubAllEnvs())

  it('is absent without the variable', () => {
    vi.stubEnv(PREFIX_VARIABLE, '')
    expect(functionMirror({ telemetry: recordingTelemetry() })).toBeUndefined()
  })

  it('that cannot be moved is counted and logged, and the commit is done', async () => {
    vi.stubEnv(PREFIX_VARIABLE, 'shop_dev__')
    // Nothing answers there.
    vi.stubEnv('AWS_ENDPOINT_URL_GLUE', 'http://127.0.0.1:1')
    const telemetry = recordingTelemetry()
    const stores = { store: memoryCatalogStore(), objects: memoryObjectStore(), names: named('shop', 'dev') }
    const observed = functionMirror({ telemetry })?.(stores, { clock: () => 0 })
    const users = { db: 'shop', table: 'users', partition: 'day=2001-06-30' }
    const catalog = catalogOver(observed ?? stores.store, stores.objects)
    await catalog.createTable(users, {
      columns: [{ name: 'user_id', type: 'string' }],
      format: 'parquet',
      owner: 'ana',
    })
    const { batchId } = await storeRows(catalog, users, { rows: [{ user_id: 'a' }], who: 'ana', why: 'nightly' })
    expect((await catalog.current(users))?.batchId).toBe(batchId)
    expect(telemetry.counts.get('mirrorsNotMoved')).toBe(1)
    expect(telemetry.errors).toMatchObject([{ code: 'service-unreachable' }])
  })
})

describe('the role of a function that commits', () => {
  it('may call what the adapter calls, but for dropping a table, and nothing else of Glue', () => {
    const adapter = readFileSync(join(ROOT, 'src', 'catalog', 'glue-catalog.ts'), 'utf8')
    const called = new Set([...adapter.matchAll(/new (\w+)Command\(/g)].map(([, name]) => `glue:${name ?? ''}`))
    called.delete('glue:DeleteTable')
    const roles = readFileSync(join(ROOT, 'cloud', 'roles.yml'), 'utf8')
    expect(new Set(roles.match(/glue:[A-Z]\w+/g))).toEqual(called)
    expect(called.size).toBeGreaterThan(8)
  })
})
