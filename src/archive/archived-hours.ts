// The records of some hours alone, by arrival: each hour from its compacted batch, and from raw objects what that does not contain.
// Whoever wants yesterday does not list years.
import type { Catalog } from '../catalog/catalog.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import { mapAhead } from '../platform/concurrency.ts'
import { HOUR_MS } from '../platform/duration.ts'
import type { ObjectStore } from '../platform/object-store.ts'
import { readForgotten } from './forgotten.ts'
import { EVENTS_TABLE, hourPartition } from './history-tables.ts'
import { unpackLines } from './line-file.ts'
import { listObjects, listShards } from './list-objects.ts'
import { hourOf } from './object-name.ts'
import { readRawHour } from './raw-hours.ts'
import { readRecordLine } from './raw-object.ts'

/** Parts fetched before their turn. */
const LOADS_AHEAD = 8

export interface ArchivedHoursPorts {
  readonly catalog: Catalog
  readonly archive: ObjectStore
  readonly db: string
}

/** Each record once, hour by hour; both instants are turns of an hour, the second is exclusive. Throws ObjectStoreError, CatalogError, ArchiveError. */
export async function* readArchivedHours(
  ports: ArchivedHoursPorts,
  fromMs: number,
  toMs: number,
): AsyncGenerator<StreamRecord> {
  const { catalog, archive, db } = ports
  const forgotten = await readForgotten(archive)
  const isCounting = ({ partitionKey, arrivalMs }: StreamRecord): boolean => !forgotten.has(partitionKey, arrivalMs)
  const rawHours = await listHours(archive, hourOf(fromMs), hourOf(toMs - 1))
  for (let ms = fromMs; ms < toMs; ms += HOUR_MS) {
    const hour = hourOf(ms)
    const ref = { db, table: EVENTS_TABLE, partition: hourPartition(hour) }
    const current = await catalog.current(ref)
    const batch = current === undefined ? undefined : await catalog.load(ref, current.batchId)
    if (batch !== undefined) {
      const parts = mapAhead(batch.manifest.parts, LOADS_AHEAD, part => catalog.loadPart(batch.record, part))
      for await (const { body, name } of parts) yield* unpackLines(body, name).map(readRecordLine).filter(isCounting)
    }
    const contained = batch?.manifest.contains ?? []
    const raw = rawHours.get(hour) ?? new Map<string, number>()
    for (const key of contained) raw.delete(key)
    for await (const record of readRawHour(archive, raw, contained)) if (isCounting(record)) yield record
  }
}

/** Name and time of the raw objects of these hours, by hour. */
async function listHours(archive: ObjectStore, first: string, last: string): Promise<Map<string, Map<string, number>>> {
  const hours = new Map<string, Map<string, number>>()
  for await (const shard of listShards(archive, 'raw')) {
    for await (const { key, hour = '', createdMs } of listObjects(archive, 'raw', { shard, fromHour: first })) {
      if (hour > last) break
      hours.set(hour, (hours.get(hour) ?? new Map<string, number>()).set(key, createdMs))
    }
  }
  return hours
}
