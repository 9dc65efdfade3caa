// Opens AWS Glue as the environment says: AWS_ENDPOINT_URL_GLUE where another than the other services' is meant, as the SDK reads it.
import { glueCatalog, glueClient } from '../catalog/glue-catalog.ts'
import { clientOptions } from './clients.ts'
import type { OpenMirror } from './deployed-mirror.ts'

export interface GlueMirror {
  readonly open: OpenMirror
  readonly close: () => void
}

export function glueMirror(variables: Readonly<Record<string, string | undefined>>): GlueMirror {
  const own = variables['AWS_ENDPOINT_URL_GLUE']
  const endpoint = own === undefined || own === '' ? variables['AWS_ENDPOINT_URL'] : own
  const client = glueClient(clientOptions({ ...variables, AWS_ENDPOINT_URL: endpoint }))
  return { open: timeLeftMs => glueCatalog({ client, timeLeftMs }), close: () => client.destroy() }
}
