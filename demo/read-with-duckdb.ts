// The snapshot read by somebody who knows nothing of Millrace: DuckDB, over the parts of the current batch.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { DemoCloud } from './cloud.ts'
import type { Phases } from './phases.ts'
import type { DemoSnapshot } from './snapshots.ts'

const QUERY = `
  SELECT user_id, arrivals30d, lateShare30d,
         CAST(predictions->'late-arrival'->'value'->>'probability' AS DOUBLE) AS probability
  FROM read_parquet('PARTS') ORDER BY probability DESC, user_id LIMIT 5`

export async function readWithDuckdb(
  { connection }: DemoCloud,
  { ref, batchId }: DemoSnapshot,
  demo: Phases,
): Promise<void> {
  const batch = await connection.catalog.load(ref)
  if (batch.entry.batchId !== batchId)
    throw new Error(`The current batch is ${batch.entry.batchId}, not the one rolled back to`)
  // DuckDB reads S3 by an extension that is fetched from the network; files need none.
  const folder = await mkdtemp(join(tmpdir(), 'millrace-demo-'))
  try {
    for await (const part of batch.parts()) await writeFile(join(folder, part.name), part.body)
    const instance = await DuckDBInstance.create()
    const session = await instance.connect()
    const path = join(folder, '*.parquet').replaceAll("'", "''")
    const [count] = (await session.runAndReadAll(`SELECT count(*) FROM read_parquet('${path}')`)).getRows()[0] ?? []
    demo.say(`${String(count)} rows; the five routes most likely to be late next:`)
    for (const row of (await session.runAndReadAll(QUERY.replace('PARTS', path))).getRows()) {
      const [route, arrivals, lateShare, probability] = row
      demo.say(
        `  ${String(route).padEnd(9)} arrivals30d ${String(arrivals)}, lateShare30d ${number(lateShare)}, probability ${number(probability)}`,
      )
    }
    session.closeSync()
    instance.closeSync()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function number(value: unknown): string {
  return typeof value === 'number' ? value.toFixed(3) : String(value)
}
