// The mirror as the command line reaches it: by the same variable as the functions, and AWS Glue's client only once it is needed.
import type { MirrorPorts } from '../catalog/compare-mirror.ts'
import { MillraceError } from '../platform/errors.ts'
import { mirrorObserver, mirrorPorts, type MirrorSettings } from './deployed-mirror.ts'
import { databasePrefix, PREFIX_VARIABLE, suggestedPrefix } from './glue-database-prefix.ts'
import type { GlueMirror } from './glue-mirror.ts'
import type { MirroredStores, ObserveCommits } from './stores.ts'

export interface ConnectedMirror {
  /** undefined: there is none. */
  readonly observe: ObserveCommits | undefined
  /** Throws MillraceError `mirror-off` where there is none. */
  readonly ports: (stores: MirroredStores) => Promise<MirrorPorts>
  readonly close: () => void
}

export function connectMirror(
  env: Readonly<Record<string, string | undefined>>,
  onError: (error: unknown) => void,
): ConnectedMirror {
  const prefix = databasePrefix(env[PREFIX_VARIABLE])
  let opened: Promise<GlueMirror> | undefined
  const glue = (): Promise<GlueMirror> => (opened ??= import('./glue-mirror.ts').then(module => module.glueMirror(env)))
  const open: MirrorSettings['open'] = async timeLeftMs => (await glue()).open(timeLeftMs)
  const settings: MirrorSettings | undefined =
    prefix === undefined ? undefined : { databasePrefix: prefix, open, onError }
  return {
    observe: settings === undefined ? undefined : mirrorObserver(settings),
    async ports(stores) {
      if (settings === undefined) throw mirrorOff(stores)
      return mirrorPorts(stores, settings, await open())
    },
    close: () => void opened?.then(mirror => mirror.close()),
  }
}

function mirrorOff({ names }: MirroredStores): MillraceError {
  return new MillraceError(`Which databases of AWS Glue mirror ${names.catalogTable} is not known`, {
    code: 'mirror-off',
    next: `Set ${PREFIX_VARIABLE} to what serverless.yml has as glueDatabasePrefix, such as ${suggestedPrefix(names)}`,
  })
}
