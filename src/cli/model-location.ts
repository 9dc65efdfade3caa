// What the `model` commands have in common: how a model and its versions are named, and how an entry of its log reads.
import { MODEL_NAME_PATTERN } from '../model/define.ts'
import type { StageEntry } from '../model/model-listing.ts'
import { toRfc3339 } from '../platform/clock.ts'
import type { CommandArguments } from './command-arguments.ts'
import { UsageError } from './errors.ts'
import { batchIdOf } from './table-location.ts'

/** Throws UsageError where it cannot be the name of a model. */
export function modelNameOf(args: CommandArguments): string {
  return checkName(args.positional('model'))
}

export function optionalModelNameOf(args: CommandArguments): string | undefined {
  const name = args.optionalPositional('model')
  return name === undefined ? undefined : checkName(name)
}

function checkName(name: string): string {
  if (MODEL_NAME_PATTERN.test(name)) return name
  throw new UsageError(`"${name}" is not a model name`, 'Name it as the pipeline does: churn.')
}

/** The word after the model, where it is given. Throws UsageError where it is no batch ID. */
export function versionOf(args: CommandArguments): string | undefined {
  const version = args.optionalPositional('batch')
  return version === undefined ? undefined : batchIdOf(version)
}

/** `2026-01-02T03:04:05.000Z  production  promote   20260102030405-7h3k9c2m  ana: better  (current)` */
export function stageEntryLine({ at, stage, kind, batchId, who, why, isCurrent }: StageEntry, width: number): string {
  const current = isCurrent ? '  (current)' : ''
  return `  ${toRfc3339(at)}  ${stage.padEnd(width)}  ${kind.padEnd(8)}  ${batchId}  ${who}: ${why}${current}`
}
