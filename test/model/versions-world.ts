// Versions of one model over the catalogue in memory, for tests of what becomes of them.
import type { OpenSession } from '../../src/model/model-session.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { promoteVersion, type VersionPorts } from '../../src/model/promote-version.ts'
import { modelRegistry } from '../../src/model/registry.ts'
import { type CatalogWorld, catalogWorld, REASON } from '../catalog/factories.ts'
import { papersZip } from './papers.ts'

export const V1 = '20010501120000-00000001'
export const V2 = '20010601120000-00000002'
export const V3 = '20010701120000-00000003'

/** For tests that run none: opening takes most of their time. */
export const openNothing: OpenSession = async ({ manifest }, batchId) => ({
  name: manifest.name,
  batchId,
  manifest,
  run: () => Promise.reject(new Error('it is not run')),
})

export function versionsWorld(world: CatalogWorld = catalogWorld(), openSession: OpenSession = openOnnxSession) {
  const { catalog } = world
  const registry = modelRegistry(catalog)
  const ports: VersionPorts = { catalog, registry, openSession, checkInputs: () => undefined }
  return {
    ...world,
    registry,
    ports,
    publish: (version: string, stage: string, zip: Uint8Array = papersZip({ manifest: { version } })) =>
      registry.publish({ zip, stage, openSession, ...REASON }),
    promote: (batchId: string, from = 'staging', to = 'production') =>
      promoteVersion(ports, { name: 'churn', from, to, batchId, skipsStaging: false, gates: [] }, REASON),
  }
}
