import { describe, expect, test } from 'vitest'
import { modelRef } from '../../src/model/model-refs.ts'
import type { OpenSession } from '../../src/model/model-session.ts'
import { openOnnxSession } from '../../src/model/onnx-session.ts'
import { rollbackVersion } from '../../src/model/promote-version.ts'
import { type CatalogWorld, REASON } from '../catalog/factories.ts'
import { artifactOf, zipOf } from './factories.ts'
import { V1, V2, V3, versionsWorld } from './versions-world.ts'

/** As nobody packs it any more. */
const withoutGolden = (version: string): Uint8Array =>
  zipOf(artifactOf('wide', { formatVersion: 2, version, description: version }))
describe('an artifact of format 2 without golden rows', () => {
  const refused = {
    name: 'ModelError',
    code: 'artifact-no-golden',
    next: expect.stringContaining('millrace model pack churn'),
  }
  /** Past the registry, as a release before this rule. */
  const putCurrent = ({ catalog }: Pick<CatalogWorld, 'catalog'>, version: string, stage: string) =>
    catalog.store(modelRef('churn', stage), {
      parts: [{ body: withoutGolden(version), rows: 1 }],
      batchId: version,
      ...REASON,
    })

  test('is not published, and nothing is written', async () => {
    const { registry, objects, store } = versionsWorld()
    const opened: unknown[] = []
    const openSession: OpenSession = async (artifact, batchId) => {
      opened.push(batchId)
      return openOnnxSession(artifact, batchId)
    }
    const input = { zip: withoutGolden(V1), stage: 'staging', openSession }
    await expect(registry.planPublish(input)).rejects.toMatchObject(refused)
    await expect(registry.publish({ ...input, ...REASON })).rejects.toMatchObject(refused)
    expect([opened, [...objects.objects.keys()], store.calls.create]).toEqual([[], [], 0])
  })

  test('is not promoted, and what was in production serves', async () => {
    const { catalog, publish, promote, registry } = versionsWorld()
    await publish(V1, 'production')
    await putCurrent({ catalog }, V2, 'staging')
    await expect(promote(V2)).rejects.toMatchObject(refused)
    expect((await registry.current('churn'))?.batchId).toBe(V1)
  })

  test('goes on serving where it is, and may be rolled back to', async () => {
    const { catalog, ports, publish, registry } = versionsWorld()
    await publish(V1, 'production')
    await putCurrent({ catalog }, V2, 'production')
    expect((await registry.currentArtifact('churn'))?.artifact.golden).toBeUndefined()
    await publish(V3, 'production')
    expect(await rollbackVersion(ports, { name: 'churn', stage: 'production' }, REASON)).toMatchObject({ batchId: V2 })
  })

  test('of format 1 is one of an earlier release, and is taken as it was', async () => {
    const { promote, publish } = versionsWorld()
    const old = zipOf(artifactOf('wide', { formatVersion: 1, version: V1 }))
    expect(await publish(V1, 'staging', old)).toMatchObject({ batchId: V1 })
    expect(await promote(V1)).toMatchObject({ batchId: V1, kind: 'promote' })
  })
})
