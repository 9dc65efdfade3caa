// What the engine writes is reserved: each name is the engine's own.
import { expect, test } from 'vitest'
import { EVENTS_TABLE, IMPORTS_TABLE } from '../../src/archive/history-tables.ts'
import { parseTableName } from '../../src/catalog/names.ts'
import { isReservedTable, refuseReservedTable } from '../../src/catalog/reserved-tables.ts'
import { MODELS_DB } from '../../src/model/model-refs.ts'
import { DEFINITIONS_DB } from '../../src/predictions/definitions-table.ts'
import { removalsRef } from '../../src/replay/spill-receipt.ts'
import { trainingTable } from '../../src/replay/training-set.ts'
import { SNAPSHOT_TABLE } from '../../src/snapshot/snapshot-table.ts'
import { operationsRef } from '../../src/status/operations-log.ts'

test.each([
  { db: 'shop', table: SNAPSHOT_TABLE },
  { db: 'shop', table: EVENTS_TABLE },
  { db: 'shop', table: IMPORTS_TABLE },
  { db: 'shop', table: trainingTable('default') },
  { db: MODELS_DB, table: 'churn' },
  { db: DEFINITIONS_DB, table: 'shop' },
  operationsRef({ pipeline: 'shop', stage: 'dev', key: 'recompute' }),
  removalsRef({ pipeline: 'shop', stage: 'dev' }),
])('$db.$table is written by nobody else', ref => {
  expect(isReservedTable(ref, 'shop')).toBe(true)
  expect(() => refuseReservedTable(ref, 'shop')).toThrow(expect.objectContaining({ code: 'table-reserved' }))
})

test.each(['shop.people', 'shop.users_of_ana', 'shop.training', 'team.users', 'team.training_default', 'team.models'])(
  "%s is the team's",
  name => {
    expect(isReservedTable(parseTableName(name), 'shop')).toBe(false)
    refuseReservedTable(parseTableName(name), 'shop')
  },
)
