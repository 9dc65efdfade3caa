import { expect, it } from 'vitest'
import { waitUntilDrained } from '../../localstack/drain.ts'
import type { EventSourceMapping } from '../../localstack/event-source-mapping.ts'
import { newShardCounters } from '../../localstack/shard-counters.ts'
import { MAPPING } from './mapping-harness.ts'

it('looks for children that nobody knows yet before it believes that all is quiet', async () => {
  const parent = newShardCounters('parent')
  parent.state = 'finished'
  const child = newShardCounters('child')
  let isChildKnown = false
  let nowMs = 0
  const mapping: EventSourceMapping = {
    mapping: MAPPING,
    counters: () => (isChildKnown ? [parent, child] : [parent]),
    isEnabled: () => true,
    setEnabled: async () => undefined,
    hurryUntil: () => undefined,
    refreshShards: async () => {
      isChildKnown = true
    },
    assertRunning: () => undefined,
    stop: async () => undefined,
    kill: () => undefined,
  }
  await waitUntilDrained([mapping], {
    timeoutMs: 1000,
    clock: () => nowMs,
    sleep: async ms => {
      nowMs += ms
      child.quietReads++
    },
  })
  expect(child.quietReads).toBeGreaterThanOrEqual(2)
})
