// The functions of a plan, made ready to be invoked: their code is unpacked at the first call, and what they print and how they are
// doing goes into the metrics.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../src/platform/clock.ts'
import type { DeploymentPlan } from './deployment-plan.ts'
import { embeddedMetrics } from './embedded-metrics.ts'
import { unpackFunction } from './function-code.ts'
import { measured } from './function-metrics.ts'
import { createLambdaFunction, type LambdaFunction } from './lambda-function.ts'
import type { Metrics } from './metrics.ts'

export interface FunctionsOptions {
  readonly endpoint: string
  /** Where `<name>.zip` of each function is. */
  readonly zipFolder: string
  readonly environmentsMax: number
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: (source: string, line: string) => void
}

export interface CreatedFunctions {
  readonly functions: readonly LambdaFunction[]
  /** Removes their code, once they are ended. */
  remove(): Promise<void>
}

export async function createFunctions(plan: DeploymentPlan, options: FunctionsOptions): Promise<CreatedFunctions> {
  const { endpoint, zipFolder, environmentsMax, metrics, log } = options
  const root = await mkdtemp(join(tmpdir(), 'millrace-local-'))
  /** Functions may share a zip. */
  const folders = new Map<string, Promise<string>>()
  const folderOf = (key: string): Promise<string> => {
    const folder =
      folders.get(key) ?? unpackFunction(join(zipFolder, `${key}.zip`), join(root, key)).then(() => join(root, key))
    folders.set(key, folder)
    return folder
  }
  const functions = plan.functions.map(each => {
    const created = createLambdaFunction(each, {
      endpoint,
      environmentsMax,
      codeFolder: () => folderOf(each.key),
      log: line => {
        for (const { metric, value, atMs } of embeddedMetrics(line)) metrics.record(metric, value, atMs)
        log(each.key, line)
      },
    })
    return { ...created, invoke: measured(each.functionName, created.invoke, options) }
  })
  return { functions, remove: () => rm(root, { recursive: true, force: true }) }
}
