// How the versions of a model are named in the catalogue: the table `models.<name>`, a partition for each stage.
import type { PartitionRef } from '../catalog/names.ts'

export const MODELS_DB = 'models'
/** What functions serve. */
export const STAGE_DEFAULT = 'production'
/** Where a version is looked at before it serves. */
export const STAGING = 'staging'

export function modelRef(name: string, stage = STAGE_DEFAULT): PartitionRef {
  return { db: MODELS_DB, table: name, partition: stage }
}
