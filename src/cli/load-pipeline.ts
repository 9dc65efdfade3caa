// The team's pipeline, loaded as it stands: Node strips the types of src/pipeline/index.ts, so nothing is built first.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Pipeline } from '../predictions/pipeline.ts'
import { MillraceError } from '../platform/errors.ts'
import { CommandError } from './errors.ts'

export const PIPELINE_FILE = join('src', 'pipeline', 'index.ts')

/** The default export of `<cwd>/src/pipeline/index.ts`. Throws CommandError, or what the definitions themselves throw. */
export async function loadPipeline(cwd: string): Promise<Pipeline> {
  const file = join(cwd, PIPELINE_FILE)
  if (!existsSync(file)) {
    throw new CommandError(`There is no ${PIPELINE_FILE} in ${cwd}`, {
      code: 'pipeline-missing',
      next: 'Run this in a repo that uses Millrace, or make one: npx millrace init NAME.',
    })
  }
  if (process.features.typescript === false) {
    throw new CommandError(`Node ${process.versions.node} does not load TypeScript`, {
      code: 'node-too-old',
      next: 'Use Node 24, which the npm package node also brings: npm install --save-dev node@24.',
    })
  }
  const loaded = await importFile(file)
  const pipeline = (loaded as { readonly default?: unknown }).default
  if (!isPipeline(pipeline)) {
    throw new CommandError(`The default export of ${PIPELINE_FILE} is not a pipeline`, {
      code: 'pipeline-invalid',
      next: "Write: export default pipeline({ name: 'shop', features: ..., models: [...] }).",
    })
  }
  return pipeline
}

async function importFile(file: string): Promise<object> {
  try {
    return (await import(pathToFileURL(file).href)) as object
  } catch (error) {
    // Definitions say themselves what is wrong with them.
    if (error instanceof MillraceError) throw error
    throw new CommandError(
      `${PIPELINE_FILE} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      {
        code: 'pipeline-invalid',
        next: 'npm run check shows the type errors.',
        cause: error,
      },
    )
  }
}

function isPipeline(value: unknown): value is Pipeline {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'pipeline' && 'name' in value
}
