// The answer to a GET of one user, as a function of what was asked, what is stored, what is deployed and what time it is. Stored
// bytes pass through while they are exact; after that the user is evaluated for this request. Nothing is ever written.
import type { FeaturesBody } from '../features/features-body.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { sha256Hex } from '../platform/hash.ts'
import type { SpilledValue } from '../predictions/evaluated-user.ts'
import type { PredictedUser } from '../predictions/predictor.ts'
import type { PredictionValue } from '../predictions/spill.ts'
import { CorruptItemError } from '../store/errors.ts'
import { type CorruptItem, isCorrupt, type StoredItem } from '../store/user-item.ts'
import { chooseCoding, type Coding } from './content-coding.ts'
import { encodeBody } from './encode-body.ts'
import { entityTag, matchesIfNoneMatch } from './etag.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import { problem } from './problem.ts'
import { isAsStored, rebuiltBody } from './rebuilt-body.ts'
import { served } from './served.ts'
import { storedBody } from './stored-body.ts'
import { plainView, type View } from './view.ts'

/** Model → batch ID. */
export type Batches = Readonly<Record<string, string>>

export interface UserQuestion {
  readonly request: Pick<HttpRequest, 'headers' | 'query'>
  readonly view: View
  readonly item: StoredItem | CorruptItem | undefined
  /** What is in production now; not looked at where `isAboutProduction` says so. */
  readonly production: Batches
  readonly nowMs: number
  /** The user's features as of now, or as of the newest event folded where that is later. */
  readonly featuresAt: (item: StoredItem, nowMs: number) => FeaturesBody
  /** Not called for features alone. */
  readonly predict: (features: FeaturesBody) => Promise<PredictedUser>
  /** `CompiledPipeline.definitions`: what an evaluation is made by now. */
  readonly definitions: string
  /** Models that are computed and stored, and not served. */
  readonly shadows: ReadonlySet<string>
  /** Undefined where a value that the item names is not to be had: the user is evaluated then. */
  readonly readSpill: (spilled: SpilledValue) => Promise<PredictionValue | undefined>
}

/** What is to be said, before it has a coding. */
interface Answer {
  readonly source: 'stored' | 'evaluated'
  readonly asOf: number
  readonly freshUntil: number | undefined
  readonly models: Batches
  /** For the entity tag: what of the body the other members do not decide. */
  readonly content: string
  /** Undefined: not to be had, after all. */
  readonly body: (coding: Coding) => Uint8Array | Promise<Uint8Array | undefined>
}

/** Whether the answer depends on what is in production: otherwise it is given while the catalogue is down, too. */
export function isAboutProduction({ request, view }: Pick<UserQuestion, 'request' | 'view'>): boolean {
  return view !== 'features' && !isForStored(request)
}

/** Throws CorruptItemError, and what `featuresAt` and `predict` throw. */
export async function answerUser(question: UserQuestion): Promise<HttpResponse> {
  const { request, view, item } = question
  const coding = chooseCoding(request.headers.get('accept-encoding'))
  if (coding === undefined) return problem('coding-not-acceptable')
  if (item === undefined) return problem('user-not-found')
  if (isCorrupt(item)) throw new CorruptItemError(item.corrupt)
  if (isForStored(request) || isExact(item, question)) {
    const response = await respond(storedAnswer(item, question), { request, view, item, coding })
    if (response !== undefined) return response
  }
  const response = await respond(await evaluatedAnswer(item, question), { request, view, item, coding })
  return response ?? problem('internal')
}

interface Respond extends Pick<UserQuestion, 'request' | 'view'> {
  readonly item: StoredItem
  readonly coding: Coding
}

async function respond(answer: Answer, { request, view, item, coding }: Respond): Promise<HttpResponse | undefined> {
  const { asOf, models, content } = answer
  const etag = entityTag({ view, v: item.v, asOf, models, coding, content })
  const validators = { etag, vary: 'accept-encoding', 'cache-control': 'private, no-cache' }
  if (matchesIfNoneMatch(request.headers.get('if-none-match'), etag)) return { status: 304, headers: validators }
  const body = await answer.body(coding)
  return body && { status: 200, headers: { ...validators, ...representationHeaders(answer, coding) }, body }
}

/**
 * Whether the stored values are those of now: made by today's definitions, until `fresh`, and predictions while production names
 * their batches. So a feature that a deploy added is there at the next GET, with no event.
 */
function isExact(item: StoredItem, { view, production, nowMs, definitions, shadows }: UserQuestion): boolean {
  if (item.definitions !== definitions) return false
  if (item.fresh !== undefined && nowMs >= item.fresh) return false
  return view === 'features' || isSameBatches(served(item.models, shadows), served(production, shadows))
}

function isSameBatches(a: Batches, b: Batches): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every(name => Object.hasOwn(b, name) && a[name] === b[name])
}

function isForStored({ query }: UserQuestion['request']): boolean {
  return query.get('at') === 'stored'
}

function storedAnswer(item: StoredItem, { view, shadows, readSpill }: UserQuestion): Answer {
  const hidden = [...shadows].sort()
  return {
    source: 'stored',
    asOf: item.asOf,
    freshUntil: item.fresh,
    models: view === 'features' ? {} : served(item.models, shadows),
    // What is left out decides the bytes as well.
    content: view === 'features' || hidden.length === 0 ? 'stored' : `stored without ${hidden.join(' ')}`,
    body: coding =>
      isAsStored(item, view, shadows)
        ? storedBody(item, view, coding)
        : rebuiltBody(item, { view, coding, shadows, readSpill }),
  }
}

/** For features no model is asked: one that cannot be fetched takes nothing from them. */
async function evaluatedAnswer(
  item: StoredItem,
  { view, nowMs, featuresAt, predict, shadows }: UserQuestion,
): Promise<Answer> {
  const features = featuresAt(item, nowMs)
  const { asOf, freshUntil } = features
  if (view === 'features') return evaluated({ asOf, freshUntil, models: {} }, jsonBytes(features))
  const { predictions, models } = await predict(features)
  const shown = { ...predictions, models: served(predictions.models, shadows) }
  const bodies = { features: () => jsonBytes(features), predictions: () => jsonBytes(shown) }
  return evaluated({ asOf, freshUntil, models: served(models, shadows) }, plainView(view, bodies))
}

/** Of all evaluated bytes the tag has the hash: how a model fared follows from nothing that the tag could name. */
function evaluated(named: Pick<Answer, 'asOf' | 'freshUntil' | 'models'>, plain: Uint8Array): Answer {
  return { ...named, source: 'evaluated', content: sha256Hex(plain), body: coding => encodeBody(plain, coding) }
}

function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

/** A gateway drops answers with more than 10,240 bytes of headers; the body names the batches as well. */
const MODELS_HEADER_BYTES_MAX = 4096

/** Headers are for people and curl, so their times are RFC 3339; JSON bodies keep the ms in which they are stored. */
function representationHeaders(answer: Answer, coding: Coding): Readonly<Record<string, string>> {
  const models = Object.entries(answer.models).map(([name, batchId]) => `${name}=${batchId}`)
  const modelsHeader = models.sort().join(', ')
  return {
    'content-type': 'application/json',
    ...(coding === 'identity' ? {} : { 'content-encoding': coding }),
    'millrace-source': answer.source,
    'millrace-as-of': toRfc3339(answer.asOf),
    ...(answer.freshUntil === undefined ? {} : { 'millrace-fresh-until': toRfc3339(answer.freshUntil) }),
    ...(models.length > 0 && modelsHeader.length <= MODELS_HEADER_BYTES_MAX ? { 'millrace-models': modelsHeader } : {}),
  }
}
