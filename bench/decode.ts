// What decoding one event costs, beside the least that anybody could do with its bytes: base64 and JSON.parse, unchecked.
import { compileContracts } from '../src/event/compile-contracts.ts'
import { event } from '../src/event/contract.ts'
import { decodeRecord, isRefusal } from '../src/event/decode.ts'
import { choice, flag, number, text } from '../src/event/field.ts'
import type { StreamRecord } from '../src/event/stream-record.ts'

export interface DecodeBench {
  readonly payloadBytes: number
  readonly decodeMicroseconds: number
  /** Base64 and JSON.parse alone, of the same bytes in the same run. */
  readonly bareMicroseconds: number
  readonly ratio: number
}

const EVENTS = 1000
/** The fastest of so many rounds, taken in turns, so that a busy machine slows both alike. */
const ROUNDS = 40

export function benchDecode(): DecodeBench {
  const order = event('order.placed', {
    id: 'orderId',
    user: 'customer.id',
    time: 'placedAt',
    lateness: '6h',
    fields: { amount: number({ scale: 2 }), item: text(), channel: choice('web', 'app'), gift: flag() },
  })
  const contracts = compileContracts([order])
  const records = Array.from({ length: EVENTS }, (_, index) => orderRecord(index))
  let decodeMs = Number.POSITIVE_INFINITY
  let bareMs = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    decodeMs = Math.min(
      decodeMs,
      elapsedMs(records, record => !isRefusal(decodeRecord(record, contracts))),
    )
    bareMs = Math.min(
      bareMs,
      elapsedMs(records, record => isObject(JSON.parse(base64Text(record.dataBase64)))),
    )
  }
  const bytes = records.reduce((sum, record) => sum + Buffer.byteLength(record.dataBase64, 'base64'), 0)
  return {
    payloadBytes: Math.round(bytes / EVENTS),
    decodeMicroseconds: (decodeMs * 1000) / EVENTS,
    bareMicroseconds: (bareMs * 1000) / EVENTS,
    ratio: decodeMs / bareMs,
  }
}

function orderRecord(index: number): StreamRecord {
  const payload = {
    type: 'order.placed',
    orderId: `ord-${100_000_000 + index}`,
    placedAt: new Date(1_767_225_600_000 + index * 1234).toISOString(),
    customer: { id: `customer-${10_000 + index}`, tier: 'gold' },
    amount: (1000 + index * 7) / 100,
    item: `sku-${700_000 + index}-xl`,
    channel: index % 3 === 0 ? 'app' : 'web',
    gift: index % 5 === 0,
  }
  return {
    stream: 'events@1',
    shard: 'shardId-000000000000',
    sequence: `4959${String(index).padStart(52, '0')}`,
    arrivalMs: 1_767_225_600_000,
    partitionKey: payload.customer.id,
    dataBase64: Buffer.from(JSON.stringify(payload)).toString('base64'),
  }
}

function base64Text(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/** Throws where an event fails: a bench of refusals would flatter. */
function elapsedMs(records: readonly StreamRecord[], isDone: (record: StreamRecord) => boolean): number {
  const start = performance.now()
  let done = 0
  for (const record of records) if (isDone(record)) done++
  const elapsed = performance.now() - start
  if (done !== records.length) throw new Error(`${records.length - done} events of the bench were refused`)
  return elapsed
}
