import { describe, expect, it } from 'vitest'
import type { DeployedFunctions, DeployedMapping } from '../../src/status/ports.ts'
import { switchMappings } from '../../src/status/switch-mapping.ts'
import { mapping } from './readings-factory.ts'

/** Lambda as it behaves: a change takes some looks, and another one is refused meanwhile. */
function world(start: string, { looks = 2, stream = 'shop-dev-events' } = {}) {
  let state = start
  let left = state === 'Enabled' || state === 'Disabled' ? 0 : looks
  let nowMs = 0
  const calls: string[] = []
  const now = (): DeployedMapping => ({
    ...mapping(state),
    streamArn: `arn:aws:kinesis:us-east-1:000000000000:stream/${stream}`,
  })
  const functions: DeployedFunctions = {
    find: () => Promise.resolve({ updatedMs: 0 }),
    mappings: () => Promise.resolve([now()]),
    mapping: () => {
      if (left > 0 && --left === 0) state = state === 'Enabling' ? 'Enabled' : 'Disabled'
      return Promise.resolve(now())
    },
    setEnabled: (_id, isEnabled) => {
      calls.push(isEnabled ? 'enable' : 'disable')
      if (left > 0) return Promise.resolve('in-use')
      state = isEnabled ? 'Enabling' : 'Disabling'
      left = looks
      return Promise.resolve('accepted')
    },
  }
  const ports = {
    functions,
    clock: () => nowMs,
    sleep: (ms: number) => Promise.resolve(void (nowMs += ms)),
    onSwitch: (mappings: readonly DeployedMapping[]) => Promise.resolve(void calls.push(`record ${mappings.length}`)),
  }
  return { ports, calls, state: () => state }
}

const request = { functionName: 'shop-dev-recompute', streamName: 'shop-dev-events', waitMs: 60_000, isDryRun: false }

describe('switchMappings', () => {
  it('is done when the state is reached, and writes down what it does before it does it', async () => {
    const { ports, calls } = world('Enabled')
    const { outcome, mappings } = await switchMappings(ports, { ...request, isEnabled: false })
    expect(outcome).toBe('switched')
    expect(mappings.map(({ state }) => state)).toEqual(['Disabled'])
    expect(calls).toEqual(['record 1', 'disable'])
  })

  it.each([
    [false, 'Disabled'],
    [true, 'Enabled'],
  ])('does nothing where it is so already (%s)', async (isEnabled, state) => {
    const { ports, calls } = world(state)
    expect((await switchMappings(ports, { ...request, isEnabled })).outcome).toBe('already')
    expect(calls).toEqual([])
  })

  it('does nothing in a dry run', async () => {
    const { ports, calls } = world('Enabled')
    expect((await switchMappings(ports, { ...request, isEnabled: false, isDryRun: true })).outcome).toBe('planned')
    expect(calls).toEqual([])
  })

  it('waits for a change of somebody else, and then asks for its own', async () => {
    const { ports, state } = world('Enabling', { looks: 3 })
    expect((await switchMappings(ports, { ...request, isEnabled: false })).outcome).toBe('switched')
    expect(state()).toBe('Disabled')
  })

  it('fails where the state is not reached in time', async () => {
    const { ports } = world('Enabled', { looks: 1000 })
    await expect(switchMappings(ports, { ...request, isEnabled: false })).rejects.toMatchObject({
      code: 'mapping-not-switched',
      retriable: true,
    })
  })

  it('switches nothing where it could not be written down', async () => {
    const { ports, calls } = world('Enabled')
    const onSwitch = () => Promise.reject(new Error('no catalogue'))
    await expect(switchMappings({ ...ports, onSwitch }, { ...request, isEnabled: false })).rejects.toThrow(
      'no catalogue',
    )
    expect(calls).toEqual([])
  })

  it('knows no mapping of another stream', async () => {
    const { ports } = world('Enabled', { stream: 'other-shop-dev-events' })
    await expect(switchMappings(ports, { ...request, isEnabled: false })).rejects.toMatchObject({
      code: 'mapping-missing',
    })
  })
})
