// All that is stored of everybody but one: what a forgetting must leave as it was.
import { loadRows } from '../../src/catalog/table-rows.ts'
import { listDoubt } from '../../src/archive/doubt.ts'
import { listLetters } from '../../src/archive/letters.ts'
import { USER_BUCKETS } from '../../src/platform/hash.ts'
import { collect } from '../archive/factories.ts'
import { spillPrefix } from '../../src/predictions/spill.ts'
import { type ForgetWorld, HMAC_KEY } from './forget-world.ts'

export async function othersOf(world: ForgetWorld, userId: string) {
  return {
    items: world.users.items().filter(item => item.userId !== userId),
    history: await historyOf(world, userId),
    letters: (await collect(listLetters(world.archive.store, { isAll: true }))).filter(
      ({ partitionKey, dataBase64 }) =>
        partitionKey !== userId && !Buffer.from(dataBase64, 'base64').toString('utf8').includes(`"${userId}"`),
    ),
    doubt: (await collect(listDoubt(world.archive.store))).filter(entry => entry.userId !== userId),
    tables: await tablesOf(world, userId),
    spills: [...world.archive.store.objects.keys()].filter(
      key => key.startsWith('spill/') && !key.startsWith(spillPrefix(userId, HMAC_KEY)),
    ),
  }
}

async function historyOf(world: ForgetWorld, userId: string): Promise<readonly string[]> {
  const history = await world.open()
  const lines: string[] = [...history.imports, JSON.stringify([...history.positions])]
  for (let bucket = 0; bucket < USER_BUCKETS; bucket++) {
    for await (const record of history.bucket(bucket)) {
      const data =
        record.kind === 'import'
          ? Buffer.from(record.payload).toString('utf8')
          : Buffer.from(record.record.dataBase64, 'base64').toString('utf8')
      const key = record.kind === 'import' ? record.batchId : record.record.partitionKey
      if (key !== userId && !data.includes(`"${userId}"`)) lines.push(`${key} ${data}`)
    }
  }
  await history.close()
  return lines.sort()
}

async function tablesOf({ catalog }: ForgetWorld, userId: string) {
  const tables: Record<string, unknown> = {}
  for (const ref of await catalog.tables()) {
    const schema = await catalog.schema(ref)
    if (schema === undefined || schema.columns.length === 0) continue
    for (const { partition } of await catalog.partitions(ref)) {
      const rows = await collect(loadRows(catalog, { ...ref, partition }))
      tables[`${ref.db}.${ref.table}/${partition}`] = rows.filter(row => !Object.values(row).includes(userId))
    }
  }
  return tables
}
