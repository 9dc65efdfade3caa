// A contract as plain data, so that what was deployed can be stored, shown and compared with what is about to be. Two contracts
// that read every event alike, and have the same papers, have one description: defaults are written out, the order of words is not kept.
import { byCodePoint, type Json } from '../platform/canonical-json.ts'
import type { EventContract, Upgrades, VersionSource } from './contract.ts'
import type { Field } from './field.ts'
import type { UpgradeStep } from './upgrade-steps.ts'

export type JsonObject = { readonly [key: string]: Json }

/** Pure; no member is undefined, so it is equal to itself after JSON. */
export function describeContract(contract: EventContract): JsonObject {
  const { type, id, user, time, latenessMs, fields, renamed = {}, version, upgrade = {}, owner, about } = contract
  return {
    type,
    id,
    user,
    time: typeof time === 'string' ? { path: time, unit: 'rfc3339' } : { path: time.path, unit: time.unit },
    latenessMs,
    fields: mapValues(fields, (field, name) => describeField(field, name)),
    renamed: mapValues(renamed, (older = []) => [...older]),
    version: version === undefined ? null : describeVersion(version),
    upgrade: mapValues(upgrade as Readonly<Record<string, Upgrades[number]>>, steps => steps.map(describeStep)),
    owner: owner ?? null,
    about: about ?? null,
  }
}

function describeField(field: Field, name: string): JsonObject {
  return {
    kind: field.kind,
    path: field.path ?? name,
    optional: field.optional ?? false,
    nullable: field.nullable ?? false,
    default: field.default ?? null,
    ...(field.kind === 'number' ? { scale: field.scale ?? null } : {}),
    ...(field.kind === 'choice' ? { values: [...field.values].sort(byCodePoint), unknown: field.unknown ?? null } : {}),
  }
}

function describeVersion({ path, current, absent }: VersionSource): JsonObject {
  return { path, current, absent: absent ?? null }
}

function describeStep(step: UpgradeStep): JsonObject {
  switch (step.kind) {
    case 'move':
      return { kind: step.kind, from: step.from, to: step.to }
    case 'convert':
      return { kind: step.kind, path: step.path, factor: step.factor }
    case 'replace':
      return { kind: step.kind, path: step.path, values: { ...step.values } }
    case 'set':
      return { kind: step.kind, path: step.path, value: step.value }
  }
}

function mapValues<Value>(
  values: Readonly<Record<string, Value>>,
  describe: (value: Value, name: string) => Json,
): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, describe(value, name)]))
}
