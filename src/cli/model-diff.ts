// `millrace model diff`: what is different between two versions of a model: their papers, what they were trained on, and what they say
// of the same people.
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isBatchId } from '../catalog/batch-id.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { diffPapers, type PapersDiff } from '../model/diff-models.ts'
import type { PredictionsDiff } from '../model/diff-predictions.ts'
import { stagesWith } from '../model/model-listing.ts'
import { modelNotFound } from '../model/model-not-found.ts'
import type { Artifact } from '../model/read-artifact.ts'
import { modelRegistry } from '../model/registry.ts'
import type { TrustedKeys } from '../model/signature.ts'
import type { Command } from './command.ts'
import { UsageError } from './errors.ts'
import { modelDiffPage } from './model-diff-page.ts'
import { diffOnSample, type NamedMover, type SampleSource } from './model-diff-sample.ts'
import { modelDiffLines } from './model-diff-text.ts'
import { modelNameOf } from './model-location.ts'
import { refuseExisting } from './parquet-out.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

const TOLERANCE_DEFAULT = 0.01
const ROWS_DEFAULT = 10_000
const ROWS_MAX = 1_000_000

export interface DiffVersion {
  readonly batchId: string
  /** As it was asked for: a stage, or the batch ID. */
  readonly asked: string
  readonly artifact: Artifact
}

export interface ModelDiff extends PapersDiff {
  readonly name: string
  readonly before: string
  readonly now: string
  readonly sample: SampleSource
  /** Null: there was nobody to ask them about. */
  readonly predictions: PredictionsDiff | null
  /** With --users: output → who moved most. */
  readonly users?: Readonly<Record<string, readonly NamedMover[]>>
}

export const command: Command = {
  name: 'model diff',
  summary: 'Show what is different between two versions of a model, and what they say of the same users.',
  positionals: ['model', 'before', 'now'],
  options: {
    tolerance: {
      type: 'string',
      value: 'X',
      description: `A number that differs by more is a changed prediction. Default: ${TOLERANCE_DEFAULT}.`,
    },
    rows: {
      type: 'string',
      value: 'N',
      description: `Ask both about so many users of the last snapshot at most. Default: ${ROWS_DEFAULT}.`,
    },
    users: {
      type: 'boolean',
      description:
        'Name the users that moved most. Without it no user id is in any output, so that it can be passed on.',
    },
    html: { type: 'string', value: 'FILE', description: 'Write it as one page with charts too; it must not exist.' },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const name = modelNameOf(args)
    const tolerance = toleranceOf(args.text('tolerance'))
    const rowsMax = args.wholeNumber('rows', { min: 1, max: ROWS_MAX }) ?? ROWS_DEFAULT
    const html = args.text('html')
    const path = html === undefined ? undefined : resolve(context.cwd, html)
    if (path !== undefined) await refuseExisting(path)
    await withConnection(context, args, async ({ catalog, trustedKeys }, pipeline) => {
      const find = (asked: string) => findVersion({ catalog, trustedKeys }, name, asked)
      const [before, now] = [await find(args.positional('before')), await find(args.positional('now'))]
      const options = { catalog, pipeline, tolerance, rowsMax, isNamed: args.flag('users') }
      const diff: ModelDiff = {
        name,
        before: before.batchId,
        now: now.batchId,
        ...diffPapers(before.artifact.manifest, now.artifact.manifest),
        ...(await diffOnSample(before, now, options)),
      }
      if (path !== undefined)
        await writeFile(path, modelDiffPage(diff, before.artifact.manifest, now.artifact.manifest), { flag: 'wx' })
      context.result({ ...diff, html: path ?? null }, () => [
        ...modelDiffLines(diff),
        ...(path === undefined ? [] : ['', `The page is ${path}`]),
      ])
    })
  },
}

function toleranceOf(text: string | undefined): number {
  const tolerance = text === undefined ? TOLERANCE_DEFAULT : Number(text)
  if (text?.trim() !== '' && tolerance >= 0 && Number.isFinite(tolerance)) return tolerance
  throw new UsageError(`--tolerance is "${text}"`, 'Give a number from 0 on: 0.01.')
}

/** A batch ID in any of the stages that ever had it; another word is a stage, and its current version. */
async function findVersion(
  { catalog, trustedKeys }: { readonly catalog: Catalog; readonly trustedKeys: TrustedKeys },
  name: string,
  asked: string,
): Promise<DiffVersion> {
  const registry = modelRegistry(catalog, { trustedKeys })
  if (isBatchId(asked)) {
    const [stage] = await stagesWith(catalog, name, asked)
    if (stage === undefined) throw modelNotFound(`${name} ${asked}`)
    return { asked, batchId: asked, artifact: await registry.artifact(name, asked, stage) }
  }
  const current = await registry.currentArtifact(name, asked)
  if (current === undefined) throw modelNotFound(name, asked)
  return { asked, ...current }
}
