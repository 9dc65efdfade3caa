// Objects of the catalogue's bucket that are of no batch: parts of writers that died or are at work, lists of parts that SQL engines follow,
// and whatever else somebody has put there. A name that no batch can have is no reason to fail.
import { CatalogError } from '../catalog/errors.ts'
import { type BatchPlace, batchSortKey, placeOfLocation } from '../catalog/layout.ts'
import { LINKS_PREFIX } from '../catalog/mirror-plan.ts'
import { checkPartition, tableKey } from '../catalog/names.ts'
import { RESERVED_DATABASES } from '../catalog/reserved-tables.ts'
import type { Pass } from './ports.ts'

/** Code, and notes of who did what: nothing of any user is in them. A model's golden rows are made up. */
export const DBS_WITHOUT_USERS: ReadonlySet<string> = new Set(RESERVED_DATABASES)

/** `known`: locations of batches. Throws ObjectStoreError, CatalogError. */
export async function findOrphans(pass: Pass, known: ReadonlySet<string>): Promise<void> {
  const { objects, store } = pass.ports.catalogStores
  const named = new Set<string>()
  for await (const { key } of objects.list('')) {
    const location = key.slice(0, key.lastIndexOf('/') + 1)
    const where = location || key
    if (known.has(location) || named.has(where)) continue
    // Addresses of parts, which name nobody unless their partition does.
    const linked = key.startsWith(LINKS_PREFIX) ? location.slice(LINKS_PREFIX.length) : undefined
    const place = placeIn(linked ?? location)
    if (linked !== undefined && (known.has(linked) || place === undefined || !pass.names.names(place))) continue
    if (place !== undefined && DBS_WITHOUT_USERS.has(place.db)) continue
    // One that was begun since the tables were read is of the next look.
    const item = place && (await store.get(tableKey(place), batchSortKey(place.partition, place.batchId)))
    named.add(where)
    if (item !== undefined) continue
    const isUnknown = place === undefined || linked !== undefined
    const next = isUnknown ? 'look at it and remove it' : `\`millrace table sweep ${tableKey(place)} --delete\``
    pass.tally.left.push({ where: pass.names.masked(where), why: `it is of no batch: ${next}` })
  }
}

/** Undefined: no batch can be there. */
function placeIn(location: string): BatchPlace | undefined {
  const place = placeOfLocation(location)
  if (place === undefined) return undefined
  try {
    tableKey(place)
    checkPartition(place)
    return place
  } catch (error) {
    if (error instanceof CatalogError && error.code === 'name-invalid') return undefined
    throw error
  }
}
