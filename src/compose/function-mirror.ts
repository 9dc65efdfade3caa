// The mirror of a function that commits, where the environment names one: what fails is counted and logged.
import { mirrorObserver } from './deployed-mirror.ts'
import { databasePrefix, PREFIX_VARIABLE } from './glue-database-prefix.ts'
import { glueMirror } from './glue-mirror.ts'
import type { Runtime } from './runtime.ts'
import type { ObserveCommits } from './stores.ts'

export function functionMirror({ telemetry }: Pick<Runtime, 'telemetry'>): ObserveCommits | undefined {
  const prefix = databasePrefix(process.env[PREFIX_VARIABLE])
  if (prefix === undefined) return undefined
  const { open } = glueMirror(process.env)
  return mirrorObserver({
    databasePrefix: prefix,
    open,
    onError: error => {
      telemetry.count('mirrorsNotMoved', 1)
      telemetry.error(error)
    },
  })
}
