// The bench's inputs, checked in: one batch of 500 real arrivals and the items of the users that it affects, as they stood after
// 30 days of history. `make-inputs.ts` wrote them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { StreamRecord } from '../src/event/stream-record.ts'
import type { StoredItem } from '../src/store/user-item.ts'

export const INPUTS_FILE = join(import.meta.dirname, 'inputs', 'flights-batch.json.gz')

export interface BenchInputs {
  readonly records: readonly StreamRecord[]
  readonly items: ReadonlyMap<string, StoredItem>
}

/** Bytes as base64; everything else as it is. */
export interface InputsJson {
  readonly payloads: readonly string[]
  readonly items: readonly Record<string, unknown>[]
}

const BLOBS = ['dedup', 'st', 'ft', 'pr', 'sum'] as const

export function toInputsJson(payloads: readonly string[], items: readonly StoredItem[]): InputsJson {
  const encode = (item: StoredItem): Record<string, unknown> => ({
    ...item,
    ...Object.fromEntries(BLOBS.map(name => [name, Buffer.from(item[name]).toString('base64')])),
  })
  return { payloads, items: items.map(encode) }
}

/** The flights as they come: about 1.1 events per user. */
export function flightsMix(): BenchInputs {
  const { payloads, items } = readInputs()
  return { records: payloads.map(toRecord), items }
}

const HOT_USERS = 50

/** The same events dealt out to 50 users, ten each. */
export function hotMix(): BenchInputs {
  const { payloads, items } = readInputs()
  const users = [...items.keys()].slice(0, HOT_USERS)
  const records = payloads.map((text, index) => {
    const payload = JSON.parse(text) as Record<string, unknown>
    const user = users[index % HOT_USERS] ?? ''
    return toRecord(JSON.stringify({ ...payload, route: user }), index)
  })
  return { records, items }
}

function readInputs(): { payloads: readonly string[]; items: ReadonlyMap<string, StoredItem> } {
  const json = JSON.parse(gunzipSync(readFileSync(INPUTS_FILE)).toString('utf8')) as InputsJson
  const items = json.items.map(item => {
    const blobs = BLOBS.map(name => [name, Buffer.from(String(item[name]), 'base64')])
    return { ...item, ...Object.fromEntries(blobs) } as StoredItem
  })
  return { payloads: json.payloads, items: new Map(items.map(item => [item.userId, item])) }
}

const FIRST_SEQUENCE = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898n

function toRecord(payload: string, index: number): StreamRecord {
  const { route, arrivedAt } = JSON.parse(payload) as { route: string; arrivedAt: string }
  return {
    stream: 'bench@1',
    shard: 'shardId-000000000000',
    sequence: String(FIRST_SEQUENCE + BigInt(index)),
    arrivalMs: Date.parse(arrivedAt),
    partitionKey: route,
    dataBase64: Buffer.from(payload, 'utf8').toString('base64'),
  }
}
