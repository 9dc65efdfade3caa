// An explanation as data, for programs: everything that the text says and all digits of it, instants in ms.
import type { DecodedEvent } from '../event/decoded-event.ts'
import type { Json } from '../platform/canonical-json.ts'
import { featureText } from '../predictions/definition-text.ts'
import type { Evidence } from '../replay/explain-evidence.ts'
import type { ExplainedFeature } from '../replay/explain-features.ts'
import type { ExplainedModel, MovedModel } from '../replay/explain-models.ts'
import type { Move } from '../replay/explain-moves.ts'
import type { ExplainedSince, Explanation } from '../replay/explain-user.ts'

export function explanationJson(explanation: Explanation): Readonly<Record<string, Json | object>> {
  const { userId, askedMs, moment, setAside, next, models, stored, since } = explanation
  const times = moment.events.map(({ ts }) => ts)
  return {
    userId,
    askedMs,
    evaluatedMs: moment.atMs,
    known: { events: times.length, firstMs: Math.min(...times), newestMs: Math.max(...times), setAside },
    features: moment.features.map(featureJson),
    next: next ?? null,
    models: models.map(modelJson),
    stored: stored ?? null,
    since: since === undefined ? null : sinceJson(since),
  }
}

function featureJson({ name, value, feature, evidence, inputs }: ExplainedFeature) {
  return { name, value, definition: featureText(feature), inputs, evidence: evidence.map(evidenceJson) }
}

function evidenceJson({ feature, events, sum }: Evidence) {
  return {
    definition: featureText(feature),
    events: events.length,
    firstMs: events[0]?.ts ?? null,
    lastMs: events.at(-1)?.ts ?? null,
    sum: sum ?? null,
  }
}

function modelJson({ name, entry, standIn, prediction }: ExplainedModel) {
  return {
    name,
    version: entry?.batchId ?? null,
    inProductionSinceMs: entry?.at ?? null,
    standIn: standIn === undefined ? null : { version: standIn.entry.batchId, why: standIn.why },
    prediction,
  }
}

function sinceJson({ askedMs, moment, models, moves, movedModels }: ExplainedSince) {
  return {
    askedMs,
    evaluatedMs: moment.atMs,
    events: moment.events.length,
    models: models.map(modelJson),
    moves: moves.map(moveJson),
    movedModels: movedModels.map(movedModelJson),
  }
}

function moveJson({ name, feature, from, to, parts }: Move) {
  return {
    name,
    definition: featureText(feature),
    from,
    to,
    parts: parts.map(part => ({
      definition: featureText(part.feature),
      before: part.before,
      after: part.after,
      came: part.came.map(eventJson),
      left: part.left.map(eventJson),
    })),
  }
}

function eventJson({ type, id, ts }: DecodedEvent) {
  return { type, id, timeMs: ts }
}

function movedModelJson({ name, from, to, byVersionAlone, shares }: MovedModel) {
  return {
    name,
    from: modelJson(from),
    to: modelJson(to),
    byVersionAlone: byVersionAlone ?? null,
    shares,
  }
}
