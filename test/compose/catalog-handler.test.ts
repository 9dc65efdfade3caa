// The function of the catalogue over HTTP, as Lambda calls it, on the stores that emulate AWS.
import type { Context } from 'aws-lambda'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { catalogHandler } from '../../src/compose/catalog-handler.ts'
import { type Connection, connect } from '../../src/compose/connect.ts'
import { PREFIX_VARIABLE } from '../../src/compose/glue-database-prefix.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import type { LambdaHandler } from '../../src/compose/lambda-handler.ts'
import type { ApiGatewayResult } from '../../src/serve/api-gateway.ts'
import { gatewayEvent } from '../fakes/http-gateway.ts'
import { type LocalAws, startLocalAws } from '../fakes/local-aws.ts'
import { smallShop } from '../recompute/harness.ts'

const NAMES = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })
const SCORES = { db: 'team', table: 'scores', partition: 'day=2026-06-30' }
const REASON = { who: 'ana', why: 'a try' }

let aws: LocalAws
let connection: Connection

beforeAll(async () => {
  aws = await startLocalAws()
  await aws.createCatalog(NAMES)
  connection = connect({ pipeline: 'shop', stage: 'dev', env: aws.env })
  for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value)
  vi.stubEnv('MILLRACE_USERS_TABLE', NAMES.usersTable)
  vi.stubEnv('MILLRACE_CATALOG_TABLE', NAMES.catalogTable)
  vi.stubEnv('MILLRACE_ARCHIVE_BUCKET', NAMES.archiveBucket)
  vi.stubEnv('MILLRACE_CATALOG_BUCKET', NAMES.catalogBucket)
  vi.stubEnv('MILLRACE_EVENTS_STREAM', NAMES.eventsStream)
  // Or metrics go past the console that is listened to.
  vi.stubEnv('POWERTOOLS_DEV', 'true')
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false')
  // Nothing answers there.
  vi.stubEnv('AWS_ENDPOINT_URL_GLUE', 'http://127.0.0.1:1')
})

afterAll(async () => {
  vi.unstubAllEnvs()
  connection.close()
  await aws.stop()
})

async function rollBack(
  handler: LambdaHandler,
  to: string,
): Promise<{ readonly status: number; readonly log: string }> {
  const lines: string[] = []
  const spies = (['log', 'info', 'error'] as const).map(level =>
    vi.spyOn(console, level).mockImplementation(line => void lines.push(String(line))),
  )
  const event = gatewayEvent({
    method: 'POST',
    route: '/catalog/tables/{table}/rollbacks',
    pathParameters: { table: 'team.scores' },
    body: JSON.stringify({ partition: SCORES.partition, to, ...REASON }),
  })
  const context = { getRemainingTimeInMillis: () => 20_000 } as Context
  const { statusCode } = (await handler(event, context)) as ApiGatewayResult
  for (const spy of spies) spy.mockRestore()
  return { status: statusCode, log: lines.join('\n') }
}

it('moves the mirror after a commit where there is one, and counts where it could not', async () => {
  const { catalog } = connection
  await catalog.createTable(SCORES, { columns: [{ name: 'n', type: 'int64' }], format: 'parquet', owner: 'ana' })
  const first = await storeRows(catalog, SCORES, { rows: [{ n: 1 }], ...REASON })
  const second = await storeRows(catalog, SCORES, { rows: [{ n: 2 }], ...REASON })

  vi.stubEnv(PREFIX_VARIABLE, '')
  const without = await rollBack(catalogHandler(smallShop.pipeline), first.batchId)
  expect(without.status).toBe(200)
  expect(without.log).not.toContain('mirrorsNotMoved')

  vi.stubEnv(PREFIX_VARIABLE, 'shop_dev__')
  const mirrored = await rollBack(catalogHandler(smallShop.pipeline), second.batchId)
  expect(mirrored.status).toBe(200)
  expect(mirrored.log).toContain('mirrorsNotMoved')
  expect((await catalog.current(SCORES))?.batchId).toBe(second.batchId)
})
