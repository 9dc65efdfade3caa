// What passing stored bytes through saves: CPU of the answer to a GET, from the item to API Gateway's result, beside the answer
// that every framework gives by default (inflate, parse, stringify, deflate). Rounds are interleaved, and medians compared, so
// that a busy machine slows both.
import { strictEqual } from 'node:assert'
import { deflateSync, inflateSync } from 'node:zlib'
import { EMPTY_DEDUP } from '../src/affected/dedup-state.ts'
import { seededRandom } from '../src/platform/random.ts'
import { answerUser, type UserQuestion } from '../src/serve/answer-user.ts'
import { toApiGateway } from '../src/serve/api-gateway.ts'
import { encodeItem } from '../src/store/item-codec.ts'
import type { StoredItem } from '../src/store/user-item.ts'

export interface ServeFigures {
  readonly plainBytes: number
  readonly storedBytes: number
  /** Median µs of CPU for one answer. */
  readonly passThroughUs: number
  readonly gzipUs: number
  readonly notModifiedUs: number
  readonly decodeAndSerializeUs: number
  /** decodeAndSerializeUs ÷ passThroughUs, of the same run. */
  readonly ratio: number
}

const BODY_BYTES = [2_000, 16_000]
const WARM_UP_ROUNDS = 10
const ROUNDS = 31
const ANSWERS_PER_ROUND = 200

/** One line of figures for a typical body and for one of 250 features. */
export async function benchServe(): Promise<readonly ServeFigures[]> {
  const figures: ServeFigures[] = []
  for (const bytes of BODY_BYTES) figures.push(await benchBody(itemWithFeatures(bytes)))
  return figures
}

async function benchBody(item: StoredItem): Promise<ServeFigures> {
  const answer = (headers: Readonly<Record<string, string>>) => async () => {
    return toApiGateway(await answerUser(question(item, headers)))
  }
  const { headers } = await answer({ 'accept-encoding': 'deflate' })()
  const variants = {
    passThroughUs: answer({ 'accept-encoding': 'deflate' }),
    gzipUs: answer({ 'accept-encoding': 'gzip' }),
    notModifiedUs: answer({ 'accept-encoding': 'deflate', 'if-none-match': String(headers['etag']) }),
    decodeAndSerializeUs: () => Promise.resolve(decodeAndSerialize(item)),
  }
  const passed = inflateSync(Buffer.from((await variants.passThroughUs()).body, 'base64')).toString()
  const serialized = inflateSync(Buffer.from((await variants.decodeAndSerializeUs()).body, 'base64')).toString()
  strictEqual(passed, serialized)
  const medians = await interleaved(variants)
  const ratio = medians.decodeAndSerializeUs / medians.passThroughUs
  return { plainBytes: passed.length, storedBytes: item.ft.length, ...medians, ratio }
}

/** The least that an answer needs which does not know that stored bytes can be passed through. */
function decodeAndSerialize(item: StoredItem) {
  const value: unknown = JSON.parse(inflateSync(item.ft).toString())
  const body = deflateSync(JSON.stringify(value))
  const headers = { 'content-type': 'application/json', 'content-encoding': 'deflate' }
  return toApiGateway({ status: 200, headers, body })
}

function question(item: StoredItem, headers: Readonly<Record<string, string>>): UserQuestion {
  return {
    request: { headers: new Map(Object.entries(headers)), query: new Map() },
    view: 'features',
    item,
    production: {},
    nowMs: item.asOf,
    featuresAt: notEvaluated,
    predict: notEvaluated,
    definitions: item.definitions,
    shadows: new Set(),
    readSpill: async () => undefined,
  }
}

function notEvaluated(): never {
  throw new Error('The stored result is exact; nothing is evaluated')
}

async function interleaved<Name extends string>(
  variants: Readonly<Record<Name, () => Promise<unknown>>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(variants) as Name[]
  const rounds = new Map<Name, number[]>(names.map(name => [name, []]))
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const name of names) {
      const before = process.cpuUsage()
      for (let count = 0; count < ANSWERS_PER_ROUND; count++) await variants[name]()
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) rounds.get(name)?.push((user + system) / ANSWERS_PER_ROUND)
    }
  }
  return Object.fromEntries(names.map(name => [name, median(rounds.get(name) ?? [])])) as Record<Name, number>
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** Counts, sums and shares under names of a real length. */
function itemWithFeatures(plainBytes: number): StoredItem {
  const random = seededRandom(11)
  const asOf = Date.UTC(2026, 0, 31, 12)
  const kinds = ['ordersWithin30d', 'spendWithin90d', 'shareOfGiftsWithin7d']
  const values: Record<string, number> = {}
  let features = ''
  for (let count = 0; features.length < plainBytes; count++) {
    values[`${kinds[count % kinds.length]}OfGroup${count}`] =
      count % kinds.length === 0 ? Math.floor(random() * 100) : Math.round(random() * 100_000) / 100
    features = JSON.stringify({ asOf, freshUntil: asOf + 3_600_000, values })
  }
  return encodeItem({
    userId: 'customer-1',
    v: 1,
    at: asOf,
    asOf,
    fresh: asOf + 3_600_000,
    definitions: '3f9c2a71d0b4',
    models: {},
    imports: [],
    dedup: EMPTY_DEDUP,
    state: '{}',
    features,
    predictions: JSON.stringify({ asOf, models: {} }),
  })
}
