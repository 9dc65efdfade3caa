// Contracts back from their descriptions, so that an event can be read as the deployed code reads it, with that code at hand no more.
import type { EventContract, TimeSource, Upgrades, VersionSource } from '../event/contract.ts'
import type { JsonObject } from '../event/describe-contract.ts'
import type { Field } from '../event/field.ts'

/** The contract whose `describeContract` is this, or one that reads every event alike. */
export function contractOf(description: JsonObject): EventContract {
  const members = description as unknown as DescribedContract
  const { type, id, user, time, latenessMs, fields, renamed, version, upgrade, owner, about } = members
  return {
    kind: 'event',
    type,
    id,
    user,
    time: time.unit === 'rfc3339' ? time.path : ({ path: time.path, unit: time.unit } as TimeSource),
    latenessMs,
    fields: mapValues(fields, fieldOf),
    renamed: Object.keys(renamed).length === 0 ? undefined : renamed,
    version: version === null ? undefined : versionOf(version),
    upgrade: Object.keys(upgrade).length === 0 ? undefined : upgrade,
    owner: owner ?? undefined,
    about: about ?? undefined,
  }
}

/** What `describeContract` writes. */
interface DescribedContract {
  readonly type: string
  readonly id: string
  readonly user: string
  readonly time: { readonly path: string; readonly unit: 'rfc3339' | 's' | 'ms' }
  readonly latenessMs: number
  readonly fields: Readonly<Record<string, DescribedField>>
  readonly renamed: Readonly<Record<string, readonly string[]>>
  readonly version: { readonly path: string; readonly current: number; readonly absent: number | null } | null
  readonly upgrade: Upgrades
  readonly owner: string | null
  readonly about: string | null
}

interface DescribedField {
  readonly kind: Field['kind']
  readonly path: string
  readonly optional: boolean
  readonly nullable: boolean
  readonly default: string | number | boolean | null
  readonly scale?: number | null
  readonly values?: readonly string[]
  readonly unknown?: string | null
}

function fieldOf({ kind, path, optional, nullable, scale, values, unknown, ...rest }: DescribedField): Field {
  const field = {
    kind,
    path,
    ...(optional ? { optional } : {}),
    ...(nullable ? { nullable } : {}),
    ...(rest.default === null ? {} : { default: rest.default }),
    ...(kind === 'number' ? { scale: scale ?? undefined } : {}),
    ...(kind === 'choice' ? { values: values ?? [] } : {}),
    ...(unknown === undefined || unknown === null ? {} : { unknown }),
  }
  return field as Field
}

function versionOf({ path, current, absent }: NonNullable<DescribedContract['version']>): VersionSource {
  return { path, current, ...(absent === null ? {} : { absent }) }
}

function mapValues<From, To>(values: Readonly<Record<string, From>>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]))
}
