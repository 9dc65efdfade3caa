// The names of a deployed pipeline's resources, in one place: serverless.yml writes them, the local cloud makes them and the
// CLI finds them, and a test holds serverless.yml to this.
import { MillraceError } from '../platform/errors.ts'

export interface ResourceNames {
  readonly usersTable: string
  readonly catalogTable: string
  readonly archiveBucket: string
  readonly catalogBucket: string
  readonly eventsStream: string
}

export interface Deployment {
  /** The pipeline's name, which is the service's name in serverless.yml. */
  readonly pipeline: string
  readonly stage: string
  /** Bucket names are global: the account's 12 digits make them unique. */
  readonly accountId: string
}

/** The account of the local cloud, as emulators have it. */
export const LOCAL_ACCOUNT_ID = '000000000000'

/** Lower case letters, digits and dashes: pipeline and stage are part of bucket names. */
const NAME_PATTERN = /^[a-z][a-z0-9-]*$/
/** 63 characters of a bucket name (Amazon S3 user guide) less `-catalog-`, the account's 12 digits and one dash. */
const NAMES_LENGTH_MAX = 63 - '-catalog-'.length - LOCAL_ACCOUNT_ID.length - 1

export function resourceNames({ pipeline, stage, accountId }: Deployment): ResourceNames {
  const isRight =
    NAME_PATTERN.test(pipeline) && NAME_PATTERN.test(stage) && pipeline.length + stage.length <= NAMES_LENGTH_MAX
  if (!isRight) {
    throw new MillraceError(`"${pipeline}" (pipeline) and "${stage}" (stage) cannot be part of bucket names`, {
      code: 'resource-name-invalid',
      next: `Use lower case letters, digits and dashes, and at most ${NAMES_LENGTH_MAX} characters together.`,
    })
  }
  const prefix = `${pipeline}-${stage}`
  return {
    usersTable: `${prefix}-users`,
    catalogTable: `${prefix}-catalog`,
    archiveBucket: `${prefix}-archive-${accountId}`,
    catalogBucket: `${prefix}-catalog-${accountId}`,
    eventsStream: `${prefix}-events`,
  }
}

/** The stage in the name of a deployed pipeline's catalogue table; undefined where the table is called otherwise. */
export function stageOfTable(pipeline: string, catalogTable: string): string | undefined {
  const [prefix, suffix] = [`${pipeline}-`, '-catalog']
  const isOurs = catalogTable.startsWith(prefix) && catalogTable.endsWith(suffix)
  const stage = isOurs ? catalogTable.slice(prefix.length, -suffix.length) : ''
  return NAME_PATTERN.test(stage) ? stage : undefined
}
