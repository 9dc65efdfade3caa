// `millrace model list`: the models of this folder, each stage with its version; or all versions of one model.
import type { Catalog } from '../catalog/catalog.ts'
import type { ModelDefinition } from '../model/define.ts'
import { type ListedModel, type ListedVersion, listModel } from '../model/model-listing.ts'
import { modelNotFound } from '../model/model-not-found.ts'
import { toRfc3339 } from '../platform/clock.ts'
import { mapWithLimit } from '../platform/concurrency.ts'
import type { Command } from './command.ts'
import { optionalModelNameOf } from './model-location.ts'
import { textTable } from './text-table.ts'
import { STAGE_OPTION, withConnection } from './with-connection.ts'

/** Each is a handful of small reads. */
const MODELS_AT_ONCE = 4

export const command: Command = {
  name: 'model list',
  summary: 'Show the models of this folder with the version of each stage, or all versions of one.',
  positionals: ['model?'],
  options: { ...STAGE_OPTION },
  async run(context, args) {
    const name = optionalModelNameOf(args)
    await withConnection(context, args, async ({ catalog }, { models }) => {
      if (name !== undefined) {
        const listed = await listModel(catalog, name)
        if (listed.versions.length === 0) throw modelNotFound(name)
        context.result(listed, () => versionLines(listed))
        return
      }
      const listed = await listAll(catalog, models)
      context.result({ models: listed }, () => modelLines(listed))
    })
  },
}

type OwnedModel = ListedModel & { readonly owner: string }

async function listAll(catalog: Catalog, models: readonly ModelDefinition[]): Promise<readonly OwnedModel[]> {
  const found = await mapWithLimit(models, MODELS_AT_ONCE, async ({ name, owner }) => ({
    ...(await listModel(catalog, name)),
    owner,
  }))
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function modelLines(models: readonly OwnedModel[]): readonly string[] {
  const rows = models.flatMap(({ name, owner, current, versions }) =>
    current.length === 0
      ? [[name, owner, '-', 'nothing is published', '', '', 0]]
      : current.map(({ stage, batchId, at, who }) => [
          name,
          owner,
          stage,
          batchId,
          toRfc3339(at),
          who,
          versions.filter(version => version.stages.includes(stage)).length,
        ]),
  )
  return textTable(['model', 'owner', 'stage', 'version', 'since', 'who', 'versions'], rows)
}

function versionLines({ versions }: ListedModel): readonly string[] {
  const rows = versions.map(version => {
    const { batchId, first } = version
    return [batchId, toRfc3339(first.at), first.who, version.stages.join(' '), stateOf(version), first.why]
  })
  return textTable(['version', 'published', 'who', 'stages', 'now', 'why'], rows)
}

function stateOf({ currentIn, yank }: ListedVersion): string {
  if (yank !== undefined) return `yanked by ${yank.who}: ${yank.why}`
  return currentIn.length === 0 ? '-' : `current in ${currentIn.join(' and ')}`
}
