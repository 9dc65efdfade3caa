// What the deployed functions read from their environment, once per cold start. `serverless.yml` sets each of these.
import { MillraceError } from '../platform/errors.ts'

export interface Environment {
  readonly usersTable: string
  readonly catalogTable: string
  readonly archiveBucket: string
  readonly catalogBucket: string
  readonly eventsStream: string
  /** Raised when a stream is re-created under its old name. */
  readonly streamEpoch: number
  /** How long a looked-up production pointer is believed. */
  readonly modelRefreshMs: number
  /** Public keys of whom model artifacts are taken, as `readTrustedKeys` reads them; empty: from anybody. */
  readonly modelKeys: string
  /** Workers of a snapshot. */
  readonly snapshotSegments: number
  /** Of DynamoDB, a second, of all workers of a snapshot together; 0: as fast as it goes. */
  readonly snapshotReadUnits: number
}

export const MODEL_REFRESH_MS_DEFAULT = 30_000
const SNAPSHOT_SEGMENTS_DEFAULT = 1
/** A partition of a table has 3,000 for all who read it. */
export const SNAPSHOT_READ_UNITS_DEFAULT = 2_000

export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  return {
    usersTable: required(variables, 'MILLRACE_USERS_TABLE'),
    catalogTable: required(variables, 'MILLRACE_CATALOG_TABLE'),
    archiveBucket: required(variables, 'MILLRACE_ARCHIVE_BUCKET'),
    catalogBucket: required(variables, 'MILLRACE_CATALOG_BUCKET'),
    eventsStream: required(variables, 'MILLRACE_EVENTS_STREAM'),
    streamEpoch: wholeNumber(variables, 'MILLRACE_STREAM_EPOCH', 1),
    modelRefreshMs: wholeNumber(variables, 'MILLRACE_MODEL_REFRESH_MS', MODEL_REFRESH_MS_DEFAULT),
    snapshotSegments: Math.max(1, wholeNumber(variables, 'MILLRACE_SNAPSHOT_SEGMENTS', SNAPSHOT_SEGMENTS_DEFAULT)),
    snapshotReadUnits: wholeNumber(variables, 'MILLRACE_SNAPSHOT_READ_UNITS', SNAPSHOT_READ_UNITS_DEFAULT),
    modelKeys: variables['MILLRACE_MODEL_KEYS'] ?? '',
  }
}

function required(variables: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = variables[name]
  if (value === undefined || value === '') {
    throw new MillraceError(`The environment variable ${name} is not set`, {
      code: 'environment-missing',
      next: `Set ${name} in serverless.yml under provider.environment.`,
    })
  }
  return value
}

function wholeNumber(variables: Readonly<Record<string, string | undefined>>, name: string, fallback: number): number {
  const text = variables[name]
  if (text === undefined || text === '') return fallback
  if (!/^\d{1,12}$/.test(text)) {
    throw new MillraceError(`The environment variable ${name} is "${text}", not a whole number`, {
      code: 'environment-invalid',
    })
  }
  return Number(text)
}
