// `millrace model shadow`: a model that is computed beside the one that is served, held against it over the newest snapshot.
import { tableKey } from '../catalog/names.ts'
import { loadRows } from '../catalog/table-rows.ts'
import type { Prediction } from '../predictions/evaluated-user.ts'
import {
  type ComparedNumbers,
  type ComparedOutput,
  type OutputComparison,
  OutputComparer,
  type StatusCounts,
} from '../predictions/output-comparison.ts'
import type { Pipeline } from '../predictions/pipeline.ts'
import { SNAPSHOT_TABLE } from '../snapshot/take-snapshot.ts'
import { snapshotReading } from '../status/snapshot-reading.ts'
import type { Command } from './command.ts'
import { CommandError, UsageError } from './errors.ts'
import { percent } from './refused-text.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const TOLERANCE_DEFAULT = 0.01
/** For people; programs get all. */
const OUTPUTS_SHOWN = 10

export const command: Command = {
  name: 'model shadow',
  summary: 'Hold what a shadow model says against the one that is served, over the newest snapshot.',
  positionals: ['name'],
  options: {
    tolerance: {
      type: 'string',
      value: 'NUMBER',
      description: `Numbers that differ by no more count as the same. Default: ${TOLERANCE_DEFAULT}.`,
    },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const name = args.positional('name')
    const tolerance = toleranceOf(args.text('tolerance'))
    await withConnection(context, args, async ({ catalog }, pipeline) => {
      const shadowOf = servedBeside(pipeline, name)
      const snapshot = await snapshotReading(catalog, pipeline.name, context.clock())
      if (snapshot === undefined) throw noSnapshot()
      const { partition, batchId } = snapshot
      const ref = { db: pipeline.name, table: SNAPSHOT_TABLE, partition }
      const comparer = new OutputComparer({ tolerance })
      for await (const row of loadRows(catalog, ref, batchId)) {
        const models = row['predictions'] as unknown as Readonly<Record<string, Prediction>>
        comparer.add(ofModel(models, shadowOf), ofModel(models, name))
      }
      const compared = comparer.result()
      const of = `${tableKey(ref)}/${partition}, batch ${batchId}`
      context.result({ name, shadowOf, tolerance, partition, batchId, ...compared }, () =>
        describe(compared, { name, shadowOf, tolerance, of }),
      )
    })
  },
}

function toleranceOf(text: string | undefined): number {
  if (text === undefined) return TOLERANCE_DEFAULT
  const tolerance = Number(text)
  if (text.trim() !== '' && Number.isFinite(tolerance) && tolerance >= 0) return tolerance
  throw new UsageError(`--tolerance is "${text}"`, 'Give a number from 0 on, as 0.01.')
}

function servedBeside({ models }: Pipeline, name: string): string {
  const model = models.find(each => each.name === name)
  if (model?.shadowOf !== undefined) return model.shadowOf
  const shadows = models.filter(({ shadowOf }) => shadowOf !== undefined).map(each => each.name)
  throw new CommandError(model === undefined ? `There is no model ${name}` : `The model ${name} is no shadow`, {
    code: model === undefined ? 'model-not-found' : 'model-not-a-shadow',
    next:
      shadows.length === 0
        ? "Define one: model('NAME', { …, shadowOf: 'SERVED' })."
        : `Name one of the shadows: ${shadows.join(', ')}.`,
  })
}

function noSnapshot(): CommandError {
  return new CommandError('There is no snapshot of the last week', {
    code: 'snapshot-not-found',
    next: 'Take one: millrace snapshot run.',
  })
}

function ofModel(models: Readonly<Record<string, Prediction>>, name: string): Prediction | undefined {
  return Object.hasOwn(models, name) ? models[name] : undefined
}

interface Named {
  readonly name: string
  readonly shadowOf: string
  readonly tolerance: number
  readonly of: string
}

function describe(compared: OutputComparison, { name, shadowOf, tolerance, of }: Named): string[] {
  const { users, served, shadow, outputs, onlyServed, onlyShadow } = compared
  const only = (who: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`Only ${who} has: ${names.slice(0, OUTPUTS_SHOWN).join(', ')}${more(names)}`]
  return [
    `${name} beside ${shadowOf}, ${users} users of ${of}`,
    `  ${shadowOf}: ${statusText(served)}`,
    `  ${name}: ${statusText(shadow)}`,
    ...outputs.slice(0, OUTPUTS_SHOWN).flatMap(output => outputLines(output, tolerance)),
    ...(outputs.length > OUTPUTS_SHOWN ? [`Outputs${more(outputs)}: see --json`] : []),
    ...only(shadowOf, onlyServed),
    ...only(name, onlyShadow),
    ...(outputs.length === 0 ? ['There is nothing to compare.'] : []),
  ]
}

function statusText(counts: StatusCounts): string {
  const parts = Object.entries(counts).sort(([, a], [, b]) => b - a)
  return parts.length === 0 ? 'nobody' : parts.map(([status, count]) => `${count} ${status}`).join(', ')
}

function more(list: readonly unknown[]): string {
  return list.length > OUTPUTS_SHOWN ? ` and ${list.length - OUTPUTS_SHOWN} more` : ''
}

function outputLines(output: ComparedOutput, tolerance: number): string[] {
  const { name, users, changed } = output
  const share = percent(users === 0 ? 0 : changed / users)
  if (output.kind === 'label') return [`${name}: another label for ${changed} of ${users} users (${share})`]
  const { rankCorrelation: rank, meanServed, meanShadow } = output
  return [
    `${name}: ${changed} of ${users} users (${share}) differ by more than ${tolerance}`,
    `  mean ${number(meanServed)} → ${number(meanShadow)}, rank correlation ${rank === null ? 'none: one says the same of all' : number(rank)}`,
    ...decileLines(output),
  ]
}

function decileLines({ deciles }: ComparedNumbers): string[] {
  return deciles.map(({ users, meanServed, meanShadow }, index) => {
    const shift = meanShadow - meanServed
    return `  decile ${String(index + 1).padStart(2)}: ${number(meanServed)} → ${number(meanShadow)} (${shift < 0 ? '' : '+'}${number(shift)}), ${users} users`
  })
}

function number(value: number): string {
  return value.toFixed(4)
}
