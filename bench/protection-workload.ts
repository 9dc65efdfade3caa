// The batches of `recompute.ts` through our handler and the SDK, a store in another process behind it: what `protection.ts` runs in two copies of
// the code, with the protection and without. It imports by where it lies, so each copy of this file measures its own copy.
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { evaluateFeatures } from '../src/features/evaluate.ts'
import { foldState } from '../src/features/state.ts'
import { byCodePoint } from '../src/platform/canonical-json.ts'
import { sha256Hex } from '../src/platform/hash.ts'
import { seededRandom } from '../src/platform/random.ts'
import pipeline from '../src/pipeline/index.ts'
import { compilePipeline } from '../src/predictions/compile-pipeline.ts'
import { predictOne } from '../src/predictions/predictor.ts'
import { encodeNext, readItem } from '../src/recompute/item-content.ts'
import { recomputeBatch } from '../src/recompute/recompute-batch.ts'
import { fromAttributes, toAttributes } from '../src/store/dynamodb-attributes.ts'
import { dynamodbUserStore } from '../src/store/dynamodb-user-store.ts'
import { itemBytes, writeUnits } from '../src/store/item-size.ts'
import { isCorrupt, type StoredItem } from '../src/store/user-item.ts'
import { type BenchInputs, flightsMix, hotMix } from './inputs.ts'
import { lateArrivalPredictor } from './predictor.ts'
import { startWireStore } from './wire-store.ts'

export const MIXES = ['flights', 'hot'] as const
export type Mix = (typeof MIXES)[number]

export interface Workload {
  readonly events: number
  /** One batch from the same items each time. Its CPU in µs, of this process. */
  readonly run: () => Promise<number>
  readonly written: () => Promise<Written>
  readonly stop: () => void
}

/** Of the items that a run wrote. */
export interface Written {
  readonly items: number
  readonly bytes: number
  readonly writeUnits: number
  /** SHA-256 of states, features and predictions as they are stored. */
  readonly bodies: string
}

/** `items` as the protected code wrote them; they are written anew by this copy's code, so that each reads what it writes. */
export async function protectionWorkload(mix: Mix): Promise<Workload> {
  const inputs = mix === 'flights' ? flightsMix() : hotMix()
  const dependencies = await dependenciesOf()
  const wire = await startWireStore()
  const world = { random: seededRandom(1), sleep: async () => undefined }
  const users = dynamodbUserStore({ client: wire.client, table: 'bench', ...world })
  for (const item of await ownItems(inputs, dependencies)) {
    await wire.client.send(new PutItemCommand({ TableName: 'bench', Item: toAttributes(item) }))
  }
  await wire.keep()
  const affected = new Set(inputs.records.map(record => record.partitionKey))
  return {
    events: inputs.records.length,
    run: async () => {
      await wire.restore()
      const start = process.cpuUsage()
      const { counts } = await recomputeBatch(inputs.records, { ...dependencies, users })
      const { user, system } = process.cpuUsage(start)
      if (counts.folded !== inputs.records.length) throw new Error(`The bench folded ${counts.folded} events`)
      return user + system
    },
    written: async () => {
      const items = (await wire.items()).flatMap(readWire).filter(({ userId }) => affected.has(userId))
      const bytes = items.map(itemBytes)
      const units = bytes.map(writeUnits)
      return { items: items.length, bytes: total(bytes), writeUnits: total(units), bodies: bodiesOf(items) }
    },
    stop: () => wire.stop(),
  }
}

type Dependencies = Omit<Parameters<typeof recomputeBatch>[1], 'users'>

async function dependenciesOf(): Promise<Dependencies> {
  const refuseAside = (): never => {
    throw new Error('The bench has events that are set aside')
  }
  return {
    compiled: compilePipeline(pipeline),
    predictor: await lateArrivalPredictor(),
    aside: { writeDeadLetters: async () => refuseAside(), writeDoubt: async () => refuseAside() },
    random: seededRandom(1),
    sleep: async () => undefined,
    remainingMs: () => Number.POSITIVE_INFINITY,
  }
}

async function ownItems(inputs: BenchInputs, { compiled, predictor }: Dependencies): Promise<readonly StoredItem[]> {
  const { definitions } = compiled
  return Promise.all(
    [...inputs.items].map(async ([userId, stored]) => {
      const read = readItem(compiled.features, stored)
      if (read.outcome !== 'read') throw new Error('The bench has an item that cannot be read')
      const { version, at, dedup, state } = read.content
      const folded = foldState({
        plan: compiled.features,
        state,
        previousAt: at,
        previousVersion: version,
        events: [],
      })
      const features = evaluateFeatures(compiled.features, folded.state, at, at)
      const next = { version, at, dedup, state: folded.state, features }
      const predicted = await predictOne(predictor, features)
      const item = encodeNext({ userId, before: read.stored, next, definitions }, predicted)
      if ('reason' in item) throw new Error(item.detail)
      return item
    }),
  )
}

function readWire(text: string): StoredItem[] {
  const attributes = Object.fromEntries(
    Object.entries(JSON.parse(text) as Parameters<typeof fromAttributes>[0]).map(([name, value]) => [
      name,
      value.B === undefined ? value : { B: Buffer.from(String(value.B), 'base64') },
    ]),
  ) as Parameters<typeof fromAttributes>[0]
  const item = fromAttributes(attributes)
  return isCorrupt(item) ? [] : [item]
}

function bodiesOf(items: readonly StoredItem[]): string {
  const byUser = items.toSorted((a, b) => byCodePoint(a.userId, b.userId))
  return sha256Hex(Buffer.concat(byUser.flatMap(({ userId, st, ft, pr }) => [Buffer.from(userId), st, ft, pr])))
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
