// Versions that come into production every few hundred milliseconds while batches run side by side: every event is folded once, no batch
// fails, and each answer is held against the version that it names.
import { catalog } from '../src/catalog/catalog.ts'
import { modelSource } from '../src/model/model-source.ts'
import { openOnnxSession } from '../src/model/onnx-session.ts'
import { modelRegistry, type ModelRegistry } from '../src/model/registry.ts'
import { systemClock, systemSleep } from '../src/platform/clock.ts'
import { seededRandom } from '../src/platform/random.ts'
import type { FeaturesBody } from '../src/features/features-body.ts'
import { modelPredictor } from '../src/predictions/model-predictor.ts'
import type { PredictedUser, Predictor } from '../src/predictions/predictor.ts'
import { recomputeBatch } from '../src/recompute/recompute-batch.ts'
import { isUnreadable, readBody } from '../src/store/item-codec.ts'
import { isCorrupt, type StoredItem } from '../src/store/user-item.ts'
import { memoryCatalogStore } from '../test/fakes/memory-catalog-store.ts'
import { memoryObjectStore } from '../test/fakes/memory-object-store.ts'
import { type MemoryUserStore, memoryUserStore } from '../test/fakes/memory-user-store.ts'
import { linearOnnx } from './model-onnx.ts'
import { benchArtifact, INPUT_NAMES, MODEL, orderRecord, refuseAside, shop, shopInputs, zipOf } from './model-shop.ts'

const PROMOTE_MS = 300
/** A function's is 30 s; here a pointer is looked at between most batches. */
const REFRESH_MS = 20
const WRITERS = 4
const EVENTS_PER_BATCH = 50
const USERS_PER_WRITER = 200
const WEIGHTS = [1, 10, 100] as const
/** Above what features come to, so that the version is in the answer; whole numbers below 2^24 are exact in 32 bits. */
const VERSION_STEP = 100_000
const VERSIONS_APART = 160

export interface SwapFigures {
  readonly wallMs: number
  readonly versions: number
  readonly versionsAnswered: number
  readonly writers: number
  readonly batches: number
  readonly events: number
  readonly lost: number
  readonly failed: number
  readonly answers: number
  readonly wrongAnswers: number
  readonly items: number
  readonly itemsWrong: number
}

const world = { clock: systemClock, random: seededRandom(1), sleep: systemSleep }

export async function swapUnderLoad(forMs: number): Promise<SwapFigures> {
  const registry = modelRegistry(catalog({ store: memoryCatalogStore(), objects: memoryObjectStore(), ...world }))
  /** By version. */
  const intercepts = new Map<string, number>()
  const problems: unknown[] = []
  const predictor = checked(livePredictor(registry, problems), intercepts)
  const users = memoryUserStore()
  const totals = { batches: 0, events: 0, failed: 0 }
  const startMs = performance.now()
  const isOver = (): boolean => performance.now() - startMs >= forMs
  await promote(registry, intercepts)
  const promoteAll = async (): Promise<void> => {
    while (!isOver()) {
      await systemSleep(PROMOTE_MS)
      await promote(registry, intercepts)
    }
  }
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer, { users, predictor, totals, isOver }))
  await Promise.all([promoteAll(), ...writers])
  const items = users.items().filter((item): item is StoredItem => !isCorrupt(item))
  return {
    wallMs: performance.now() - startMs,
    versions: intercepts.size,
    versionsAnswered: predictor.answeredBy.size,
    writers: WRITERS,
    batches: totals.batches,
    events: totals.events,
    // Folded twice would be as wrong as not at all.
    lost: Math.abs(totals.events - items.reduce((sum, item) => sum + eventsIn(item), 0)),
    failed: totals.failed + problems.length,
    answers: predictor.answers.all,
    wrongAnswers: predictor.answers.wrong,
    items: items.length,
    itemsWrong: items.filter(item => !isItemRight(item, intercepts)).length,
  }
}

async function promote(registry: ModelRegistry, intercepts: Map<string, number>): Promise<void> {
  const intercept = (intercepts.size % VERSIONS_APART) * VERSION_STEP
  const onnx = linearOnnx({ weights: WEIGHTS, intercept })
  const zip = zipOf(benchArtifact(onnx, shopInputs(), `version ${intercepts.size}`))
  const reason = { who: 'bench', why: 'the next one' }
  const { batchId } = await registry.publish({ zip, stage: 'production', openSession: openOnnxSession, ...reason })
  intercepts.set(batchId, intercept)
}

function livePredictor(registry: ModelRegistry, problems: unknown[]): Predictor {
  return modelPredictor(shop, (name, misfit) =>
    modelSource({
      name,
      misfit,
      registry,
      openSession: openOnnxSession,
      clock: systemClock,
      refreshMs: REFRESH_MS,
      onProblem: error => void problems.push(error),
    }),
  )
}

interface Load {
  readonly users: MemoryUserStore
  readonly predictor: Predictor
  readonly totals: { batches: number; events: number; failed: number }
  readonly isOver: () => boolean
}

async function write(writer: number, { users, predictor, totals, isOver }: Load): Promise<void> {
  for (let batch = 0; !isOver(); batch++) {
    const records = Array.from({ length: EVENTS_PER_BATCH }, (_, index) => {
      const own = batch * EVENTS_PER_BATCH + index
      return orderRecord(`user-${writer}-${own % USERS_PER_WRITER}`, own * WRITERS + writer + 1)
    })
    const { counts, failedSequence } = await recomputeBatch(records, {
      compiled: shop,
      users,
      predictor,
      aside: { writeDeadLetters: refuseAside, writeDoubt: refuseAside },
      random: world.random,
      sleep: systemSleep,
      remainingMs: () => Number.POSITIVE_INFINITY,
    })
    totals.batches++
    totals.events += records.length
    totals.failed += counts.failed + (failedSequence === undefined ? 0 : 1)
    // The promoter has its turn, as everything else here is in memory.
    await new Promise(resolve => void setImmediate(resolve))
  }
}

interface CheckedPredictor extends Predictor {
  readonly answers: { all: number; wrong: number }
  readonly answeredBy: Set<string>
}

function checked(predictor: Predictor, intercepts: ReadonlyMap<string, number>): CheckedPredictor {
  const answers = { all: 0, wrong: 0 }
  const answeredBy = new Set<string>()
  return {
    ...predictor,
    answers,
    answeredBy,
    predict: async bodies => {
      const predicted = await predictor.predict(bodies)
      for (const [index, answer] of predicted.entries()) {
        const body = bodies[index]
        answers.all++
        answeredBy.add(answer.models[MODEL] ?? '')
        if (body === undefined || !isRight(body, answer, intercepts)) answers.wrong++
      }
      return predicted
    },
  }
}

/** That the version which is named says this of these features, and no other does. */
function isRight(
  { values }: FeaturesBody,
  { predictions, models }: PredictedUser,
  intercepts: ReadonlyMap<string, number>,
): boolean {
  const prediction = predictions.models[MODEL]
  const intercept = intercepts.get(prediction?.batchId ?? '')
  if (prediction === undefined || intercept === undefined || prediction.batchId !== models[MODEL]) return false
  const sum = INPUT_NAMES.reduce((total, name, index) => total + Number(values[name]) * (WEIGHTS[index] ?? 0), 0)
  return prediction.value?.['score'] === intercept + sum
}

function isItemRight(item: StoredItem, intercepts: ReadonlyMap<string, number>): boolean {
  const [ft, pr] = [readBody(item, 'ft'), readBody(item, 'pr')]
  if (isUnreadable(ft) || isUnreadable(pr)) return false
  const predicted = { predictions: pr.body as unknown as PredictedUser['predictions'], models: item.models }
  return isRight(ft.body as unknown as FeaturesBody, predicted, intercepts)
}

function eventsIn(item: StoredItem): number {
  const ft = readBody(item, 'ft')
  return isUnreadable(ft) ? 0 : Number((ft.body as unknown as FeaturesBody).values['ordersEver'])
}
