// The archive bucket read by hand: gunzip, one JSON a line, keys taken apart. It shares nothing with the readers of the engine, so
// that what they overlook is seen here.
import { gunzipSync } from 'node:zlib'
import type { SimulatedBucket } from './simulated-s3.ts'

export interface ArchivedFacts {
  /** `shard/sequence` → data as base64, of every archived record. */
  readonly raw: ReadonlyMap<string, string>
  /** `shard/sequence` → reasons of its letters, open or not. */
  readonly letters: ReadonlyMap<string, ReadonlySet<string>>
  readonly closed: ReadonlySet<string>
  readonly doubt: ReadonlySet<string>
  readonly cleared: ReadonlySet<string>
  /** Of batches that Lambda gave up. */
  readonly givenUp: ReadonlySet<string>
}

interface Line {
  readonly shard: string
  readonly sequence: string
  readonly reason?: string
  readonly data?: string
  readonly dataBase64?: string
}

export function readArchive(bucket: SimulatedBucket): ArchivedFacts {
  const raw = new Map<string, string>()
  const letters = new Map<string, Set<string>>()
  const named = { closed: new Set<string>(), doubt: new Set<string>(), cleared: new Set<string>() }
  const givenUp = new Set<string>()
  for (const [key, { body }] of bucket.objects) {
    if (key.startsWith('aws/lambda/')) {
      for (const record of givenUpRecords(body)) givenUp.add(record)
      continue
    }
    const kind = key.slice(0, key.indexOf('/'))
    // Items that a repair kept: records are looked for here.
    if (kind === 'corrupt') continue
    for (const line of linesOf(body)) {
      const record = `${line.shard}/${line.sequence}`
      if (kind === 'raw') raw.set(record, line.data ?? line.dataBase64 ?? '')
      else if (kind === 'deadletters') letters.set(record, (letters.get(record) ?? new Set()).add(line.reason ?? ''))
      else if (kind in named) named[kind as keyof typeof named].add(record)
    }
  }
  return { raw, letters, givenUp, ...named }
}

function linesOf(body: Uint8Array): Line[] {
  const text = gunzipSync(body).toString('utf8')
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Line)
}

function givenUpRecords(body: Uint8Array): string[] {
  const { payload } = JSON.parse(Buffer.from(body).toString('utf8')) as { payload: string }
  const { Records } = JSON.parse(payload) as { Records: { eventID: string }[] }
  return Records.map(({ eventID }) => eventID.replace(':', '/'))
}
