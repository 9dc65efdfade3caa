// `millrace model show`: the papers of a version as people read them, where it is and was, and how large it is by encoding.
import type { Catalog } from '../catalog/catalog.ts'
import { type ListedVersion, listModel } from '../model/model-listing.ts'
import { modelNotFound } from '../model/model-not-found.ts'
import { STAGE_DEFAULT as SERVING } from '../model/model-refs.ts'
import { type EncodedSizes, modelSizes } from '../model/model-sizes.ts'
import type { Artifact } from '../model/read-artifact.ts'
import { modelRegistry } from '../model/registry.ts'
import type { Command } from './command.ts'
import { modelNameOf, versionOf } from './model-location.ts'
import { paperLines } from './model-papers-text.ts'
import { textTable } from './text-table.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

export const command: Command = {
  name: 'model show',
  summary: 'Show the papers of a version as people read them, where it is, and its size by encoding.',
  positionals: ['model', 'batch?'],
  options: {
    in: {
      type: 'string',
      value: 'STAGE',
      description: `The current version of this stage. Default: ${SERVING}, or what was published last.`,
    },
    ...STAGE_OPTION,
  },
  async run(context, args) {
    const wanted = { name: modelNameOf(args), batchId: versionOf(args), stage: args.text('in') }
    await withConnection(context, args, async ({ catalog }) => {
      const { version, artifact } = await findVersion(catalog, wanted)
      const { manifest } = artifact
      const sizes = modelSizes(artifact)
      const { batchId, stages, currentIn, yank } = version
      const where = { name: wanted.name, batchId, stages, currentIn, yank: yank ?? null }
      context.result({ ...where, manifest, sizes, goldenRows: artifact.golden?.inputs.length ?? 0 }, () => [
        `${wanted.name} ${batchId}: ${whereText(version)}`,
        ...paperLines(artifact),
        '',
        ...sizeLines(sizes),
      ])
    })
  },
}

interface Wanted {
  readonly name: string
  readonly batchId: string | undefined
  readonly stage: string | undefined
}

async function findVersion(
  catalog: Catalog,
  { name, batchId, stage }: Wanted,
): Promise<{ readonly version: ListedVersion; readonly artifact: Artifact }> {
  const { current, versions } = await listModel(catalog, name)
  const currentOf = (each: string): string | undefined => current.find(entry => entry.stage === each)?.batchId
  const wanted = batchId ?? (stage === undefined ? (currentOf(SERVING) ?? versions[0]?.batchId) : currentOf(stage))
  const version = versions.find(each => each.batchId === wanted)
  const [first] = version?.stages ?? []
  if (version === undefined || first === undefined)
    throw modelNotFound(batchId === undefined ? name : `${name} ${batchId}`, stage)
  return { version, artifact: await modelRegistry(catalog).artifact(name, version.batchId, first) }
}

function whereText({ stages, currentIn, yank }: ListedVersion): string {
  if (yank !== undefined) return `yanked by ${yank.who}: ${yank.why}`
  const before = stages.filter(stage => !currentIn.includes(stage))
  const parts = [
    ...(currentIn.length === 0 ? [] : [`current in ${currentIn.join(' and ')}`]),
    ...(before.length === 0 ? [] : [`was current in ${before.join(' and ')}`]),
  ]
  return parts.join('; ')
}

function sizeLines(sizes: readonly EncodedSizes[]): readonly string[] {
  const rows = sizes.map(({ what, ...bytes }) => [what, ...Object.values(bytes).map(each => each ?? '-')])
  return textTable(['bytes', 'raw', 'zlib', 'JSON', 'zlib JSON'], rows)
}
