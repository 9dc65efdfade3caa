import { describe, expect, test } from 'vitest'
import { ModelError } from '../../src/model/errors.ts'
import { modelRef } from '../../src/model/model-refs.ts'
import { carryOutYank, planVersionYank, yankVersion } from '../../src/model/yank-version.ts'
import { catalogWorld, REASON } from '../catalog/factories.ts'
import { openNothing, V1, V2, V3, versionsWorld } from './versions-world.ts'

describe('yanking what stages have now', () => {
  const request = { name: 'churn', batchId: V2, rollbackTo: V1 }
  const currentOf = ({ registry }: ReturnType<typeof versionsWorld>) =>
    Promise.all(['production', 'staging'].map(async stage => (await registry.current('churn', stage))?.batchId))

  test('is refused as a whole where one stage cannot go back, with what each would do and the way out', async () => {
    const world = versionsWorld(catalogWorld(), openNothing)
    const { ports, publish } = world
    await publish(V1, 'production')
    await publish(V2, 'production')
    await publish(V2, 'staging')
    const written = world.store.calls.create
    const words = ['--stage', 'prod']
    const refused = await yankVersion(ports, { ...request, words }, REASON).catch((error: unknown) => error)
    expect(refused).toMatchObject({
      name: 'ModelError',
      code: 'version-not-in-stage',
      message: `churn ${V2} is not yanked, and nothing was changed: production would go back to ${V1}; staging has never had ${V1}`,
      next: `Promote ${V1} there first, and yank then: \`millrace model promote churn ${V1} --from production --to staging --stage prod\``,
    })
    expect(world.store.calls.create).toBe(written)
    expect(await currentOf(world)).toEqual([V2, V2])
    // What it says to do is enough.
    await world.promote(V1, 'production', 'staging')
    await yankVersion(ports, request, REASON)
    expect(await currentOf(world)).toEqual([V1, V1])
  })

  test('names the way around staging where production has never had the other version', async () => {
    const world = versionsWorld(catalogWorld(), openNothing)
    const { ports, publish } = world
    await publish(V1, 'candidate')
    await publish(V2, 'candidate')
    await publish(V2, 'production')
    await expect(planVersionYank(ports, request)).rejects.toMatchObject({
      message: expect.stringContaining(`candidate would go back to ${V1}; production has never had ${V1}`),
      next: expect.stringContaining(
        `\`millrace model promote churn ${V1} --from candidate --to production --skip-staging\``,
      ),
    })
  })

  test('needs to be told where to go back to, and hears what all of them had', async () => {
    const world = versionsWorld(catalogWorld(), openNothing)
    const { ports, publish } = world
    for (const stage of ['production', 'staging']) {
      await publish(V1, stage)
      await publish(V2, stage)
    }
    await expect(yankVersion(ports, { ...request, rollbackTo: undefined }, REASON)).rejects.toMatchObject({
      code: 'version-current',
      message: expect.stringContaining('production and staging'),
      next: expect.stringContaining(`--rollback-to BATCH; all of them had ${V1}`),
    })
    await expect(yankVersion(ports, { ...request, rollbackTo: V3 }, REASON)).rejects.toMatchObject({
      code: 'batch-not-found',
    })
    expect(await currentOf(world)).toEqual([V2, V2])
  })

  test('that dies between two writes says what was done, and the same again does the rest', async () => {
    const outcomes = new Set<string>()
    let left = Number.POSITIVE_INFINITY
    const fault = () => {
      if (left-- <= 0) throw new Error('the line is down')
    }
    for (let instant = 0, isDone = false; !isDone; instant++) {
      left = Number.POSITIVE_INFINITY
      const world = versionsWorld(catalogWorld({ fault }), openNothing)
      const { ports, publish, registry } = world
      for (const stage of ['production', 'staging']) {
        await publish(V1, stage)
        await publish(V2, stage)
      }
      const plan = await planVersionYank(ports, request)
      left = instant
      const died = await carryOutYank(ports, plan, request, REASON).catch((error: unknown) => error)
      left = Number.POSITIVE_INFINITY
      isDone = !(died instanceof Error)
      const stages = await currentOf(world)
      if (died instanceof ModelError) {
        outcomes.add(`${stages.join(' ')} ${died.code}`)
        expect(died.message).toContain(`production went back to ${V1}`)
        expect(died.message).toContain('the line is down')
        expect(died.next).toContain('the same command again')
      }
      const logged = await registry.history('churn')
      await yankVersion(ports, request, REASON)
      expect(await currentOf(world)).toEqual([V1, V1])
      expect(await world.catalog.yanked(modelRef('churn'), V2)).toMatchObject(REASON)
      // Nothing twice.
      if (stages[0] === V1) expect(await registry.history('churn')).toEqual(logged)
      expect(instant).toBeLessThan(100)
    }
    expect(outcomes).toEqual(new Set([`${V1} ${V2} yank-unfinished`, `${V1} ${V1} yank-unfinished`]))
  })

  test('takes back nothing that somebody has put there meanwhile', async () => {
    const world = versionsWorld(catalogWorld(), openNothing)
    const { ports, publish } = world
    await publish(V1, 'production')
    await publish(V2, 'production')
    const plan = await planVersionYank(ports, request)
    await publish(V3, 'production')
    expect((await carryOutYank(ports, plan, request, REASON)).rollbacks).toEqual([])
    expect((await world.registry.current('churn'))?.batchId).toBe(V3)
  })
})
