// A deployment in which nothing ever breaks and nobody does anything: no drill may hold on it.
import { commandText } from '../../drills/command.ts'
import type { DrillWorld } from '../../drills/drill.ts'
import { type Story, tellStory } from '../../drills/story.ts'

export interface NoFailureWorld extends DrillWorld {
  readonly told: { text: string }
  /** As they were typed. */
  readonly typed: string[]
}

export function noFailureWorld(changes: Partial<DrillWorld> = {}): NoFailureWorld {
  let nowMs = Date.UTC(2026, 0, 2)
  const told = { text: '' }
  const story: Story = tellStory({ write: text => (told.text += text) })
  const typed: string[] = []
  return {
    told,
    typed,
    story,
    runbook: '',
    pipeline: 'flights',
    clock: () => nowMs,
    sleep: async ms => void (nowMs += ms),
    async millrace(words) {
      const command = commandText(words)
      typed.push(command)
      return { command, exitCode: 0, stdout: words.includes('--json') ? healthyStatus(nowMs) : '', stderr: '' }
    },
    send: async () => undefined,
    settle: async () => undefined,
    get: async () => ({ status: 200, body: OK_BODY }),
    deploy: async () => undefined,
    refuseUsersTable: () => undefined,
    damageItem: async () => undefined,
    deleteItems: async () => undefined,
    metricSum: async () => 0,
    writeFile: async name => name,
    breakIt: async () => undefined,
    ...changes,
  }
}

export function healthyStatus(nowMs: number): string {
  return statusJson(nowMs, [{ name: 'dead-letters', verdict: 'well', text: 'none open', next: null, values: {} }])
}

export interface StatusLineJson {
  readonly name: string
  readonly verdict: string
  readonly text: string
  readonly next: string | null
  readonly values: object
}

export function statusJson(nowMs: number, lines: readonly StatusLineJson[]): string {
  const at = new Date(nowMs).toISOString()
  const isHealthy = lines.every(({ verdict }) => verdict === 'well')
  return JSON.stringify({ pipeline: 'flights', stage: 'dev', at, since: at, isHealthy, lines })
}

const OK_BODY = { values: { arrivals30d: 1 }, predictions: { models: { 'late-arrival': { status: 'ok' } } } }
