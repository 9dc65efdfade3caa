import { describe, expect, it } from 'vitest'
import { whatNeedsSomebody, readStatus } from '../../drills/status-answer.ts'
import { act, proveCounts, seeHealth, seeTrouble } from '../../drills/steps.ts'
import { arrivals, ARRIVALS_FEATURE } from '../../drills/traffic.ts'
import { healthyStatus, noFailureWorld, type StatusLineJson, statusJson } from './no-failure-world.ts'

const WELL = { name: 'recompute', verdict: 'well', text: 'enabled', next: null, values: {} }
const LETTERS = {
  name: 'dead-letters',
  verdict: 'unwell',
  text: '3 open: contract 3',
  next: 'millrace deadletters list',
  values: {},
}
const WANTED = { line: 'dead-letters', text: /contract 3/, next: /deadletters list/ }
const MINUTE_MS = 60_000

function worldOf(lines: (nowMs: number) => readonly StatusLineJson[], exitCode?: number) {
  const world = noFailureWorld({
    millrace: async () => {
      const stdout = statusJson(world.clock(), lines(world.clock()))
      return {
        command: 'millrace status',
        exitCode: exitCode ?? (stdout.includes('"unwell"') ? 1 : 0),
        stdout,
        stderr: '',
      }
    },
  })
  return world
}

describe('seeing trouble', () => {
  it('waits until the line says it, with traffic in between', async () => {
    const startMs = noFailureWorld().clock()
    const world = worldOf(nowMs => (nowMs < startMs + 10_000 ? [WELL] : [WELL, LETTERS]))
    let between = 0
    await seeTrouble(world, WANTED, { between: async () => void between++ })
    expect(between).toBe(5)
    expect(world.told.text).toContain('-> millrace deadletters list')
    expect(world.told.text).not.toContain('enabled')
  })

  it.each([
    ['the line is well', [{ ...LETTERS, verdict: 'well' }], undefined],
    ['it could not be read', [{ ...LETTERS, verdict: 'unknown' }], 1],
    ['another line is not', [{ ...LETTERS, name: 'given-up' }], undefined],
    ['it says something else', [{ ...LETTERS, text: '3 open: late 3' }], undefined],
    ['it does not say what to do', [{ ...LETTERS, next: null }], undefined],
    ['the exit code is 0', [LETTERS], 0],
  ])('fails where %s', async (_, lines, exitCode) => {
    const world = worldOf(() => lines, exitCode)
    const startMs = world.clock()
    await expect(seeTrouble(world, WANTED)).rejects.toMatchObject({ code: 'drill-failed' })
    expect(world.clock() - startMs).toBeLessThanOrEqual(4 * MINUTE_MS)
  })
})

describe('seeing health', () => {
  it('holds where all is well and the exit code says so', async () => {
    await seeHealth(
      worldOf(() => [WELL]),
      'all is well',
    )
  })

  it.each([
    ['a line is not', [WELL, LETTERS], undefined],
    ['the exit code is 1', [WELL], 1],
  ])('fails where %s', async (_, lines, exitCode) => {
    await expect(
      seeHealth(
        worldOf(() => lines, exitCode),
        'all is well',
      ),
    ).rejects.toThrow('all is well')
  })
})

describe('doing what the runbook says', () => {
  const runbook = 'Type `millrace users repair ID`.'

  it('types it', async () => {
    const world = noFailureWorld({ runbook })
    await act(world, 'millrace users repair ID', { values: { ID: 'DRL-003' } })
    expect(world.typed).toEqual(['millrace users repair DRL-003'])
  })

  it('types nothing that the runbook does not say', async () => {
    const world = noFailureWorld({ runbook })
    await expect(act(world, 'millrace users repair --corrupt')).rejects.toMatchObject({ code: 'not-in-runbook' })
    expect(world.typed).toEqual([])
  })

  it('fails where the command fails, and shows what it said', async () => {
    const ran = { command: 'millrace users repair', exitCode: 1, stdout: '', stderr: 'One user is left' }
    const world = noFailureWorld({ runbook, millrace: async () => ran })
    await expect(act(world, 'millrace users repair ID', { values: { ID: 'a' } })).rejects.toThrow('it ended with 1')
    expect(world.told.text).toContain('| One user is left')
  })
})

describe('counting', () => {
  const answering = (change: (userId: string, count: number) => { status: number; count: number }) => {
    const traffic = arrivals(() => Date.UTC(2026, 0, 2))
    traffic.next(50)
    const world = noFailureWorld({
      get: async path => {
        const userId = path.split('/')[2] ?? ''
        const { status, count } = change(userId, traffic.counts.get(userId) ?? 0)
        return { status, body: { values: { [ARRIVALS_FEATURE]: count } } }
      },
    })
    return proveCounts(world, traffic)
  }

  it('holds where every user has what was sent', async () => {
    await answering((_, count) => ({ status: 200, count }))
  })

  it.each<[string, (userId: string, count: number) => { status: number; count: number }]>([
    ['one is short', (userId, count) => ({ status: 200, count: userId === 'DRL-007' ? count - 1 : count })],
    ['one is counted twice', (userId, count) => ({ status: 200, count: userId === 'DRL-007' ? count + 1 : count })],
    ['one is not served', (userId, count) => ({ status: userId === 'DRL-007' ? 500 : 200, count })],
    [
      'one has what another lacks',
      (userId, count) => ({ status: 200, count: count + (userId === 'DRL-001' ? 1 : userId === 'DRL-002' ? -1 : 0) }),
    ],
  ])('fails where %s', async (_, change) => {
    await expect(answering(change)).rejects.toMatchObject({ code: 'drill-failed' })
  })

  it('fails where nothing was sent: that proves nothing', async () => {
    await expect(
      proveCounts(
        noFailureWorld(),
        arrivals(() => 0),
      ),
    ).rejects.toMatchObject({ code: 'drill-failed' })
  })
})

describe('the status', () => {
  it('is refused where it is none', () => {
    expect(() => readStatus('{"error":{"code":"x"}}')).toThrow('no status')
  })

  it('that is well is one line', () => {
    expect(whatNeedsSomebody(readStatus(healthyStatus(0)))).toHaveLength(1)
  })
})
