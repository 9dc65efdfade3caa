import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DRILLS } from '../../drills/all.ts'
import { commandsIn } from '../../drills/runbook.ts'
import { ROOT } from '../tidy/source-files.ts'
import { noFailureWorld } from './no-failure-world.ts'

const runbook = readFileSync(join(ROOT, 'docs', 'runbook.md'), 'utf8')

describe('a drill', () => {
  it.each(DRILLS.map(drill => [drill.name, drill] as const))(
    '%s does not hold where nothing fails',
    async (_, drill) => {
      const world = noFailureWorld({ runbook })
      await expect(drill.run(world)).rejects.toMatchObject({ code: 'drill-failed' })
      expect(world.story.checks.at(-1)).toMatchObject({
        isHeld: false,
        claim: expect.stringMatching(/^millrace (status|verify --all) ends with 1/),
      })
    },
  )

  it.each(DRILLS.map(drill => [drill.name, drill] as const))(
    '%s does not begin where something is wrong already',
    async (_, drill) => {
      const world = noFailureWorld({
        runbook,
        millrace: async words => ({ command: '', exitCode: words[0] === 'status' ? 1 : 0, stdout: UNWELL, stderr: '' }),
        breakIt: () => Promise.reject(new Error('It was broken on top of that')),
      })
      await expect(drill.run(world)).rejects.toMatchObject({ code: 'drill-failed' })
      expect(world.story.checks.at(-1)).toMatchObject({ isHeld: false, claim: expect.stringContaining('before') })
    },
  )

  it.each(DRILLS.map(({ name }) => name))('%s is named by its section of the runbook', name => {
    expect(runbook).toContain(`Drill: \`${name}\`.`)
  })

  it('has a name and a summary of its own', () => {
    expect(new Set(DRILLS.map(({ name }) => name)).size).toBe(DRILLS.length)
    expect(DRILLS.filter(({ summary }) => !/^[A-Z].*\.$|^[a-z]+ .*\.$/.test(summary))).toEqual([])
  })
})

describe('the runbook', () => {
  it('has no link to a section that is not there', () => {
    const anchors = new Set(
      [...runbook.matchAll(/^## (.+)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replaceAll(/[^a-z0-9 -]/g, '')
          .replaceAll(' ', '-'),
      ),
    )
    const linked = [...runbook.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor)
    expect(linked.filter(anchor => !anchors.has(anchor ?? ''))).toEqual([])
    expect(linked.length).toBeGreaterThan(5)
  })

  it('names every alarm there is, and no other', () => {
    const alarms = readFileSync(join(ROOT, 'cloud', 'alarms.yml'), 'utf8')
    const deployed = [...alarms.matchAll(/^ {2}(\w+Alarm):$/gm)].map(([, name]) => name ?? '')
    const told = new Set([...runbook.matchAll(/`(\w+Alarm)`/g)].map(([, name]) => name ?? ''))
    expect([...told].filter(name => !deployed.includes(name))).toEqual([])
    const alike = /^(Archive|Serve|Ingest|Snapshot|Compact|Answers?)/
    expect(deployed.filter(name => !told.has(name) && !alike.test(name))).toEqual([])
  })

  it('has no command that does not exist', async () => {
    const { COMMANDS } = await import('../../src/cli/commands.ts')
    const names = COMMANDS.map(({ name }) => name)
    const unknown = [...commandsIn(runbook)].filter(
      command => !names.some(name => command === `millrace ${name}` || command.startsWith(`millrace ${name} `)),
    )
    expect(unknown).toEqual([])
  })

  it('has no option that its command does not have', async () => {
    const { COMMANDS } = await import('../../src/cli/commands.ts')
    const wrong: string[] = []
    for (const text of commandsIn(runbook)) {
      const entry = COMMANDS.find(({ name }) => text === `millrace ${name}` || text.startsWith(`millrace ${name} `))
      const loaded = await entry?.load()
      const options = ['json', 'help', 'dry-run', ...Object.keys(loaded?.command.options ?? {})]
      for (const [, option = ''] of text.matchAll(/ --([a-z-]+)/g))
        if (!options.includes(option)) wrong.push(`${text}: ${option}`)
    }
    expect(wrong).toEqual([])
  })
})

const UNWELL = JSON.stringify({
  pipeline: 'flights',
  stage: 'dev',
  at: '2026-01-02T00:00:00Z',
  since: '2026-01-01T23:00:00Z',
  isHealthy: false,
  lines: [{ name: 'doubt', verdict: 'unwell', text: '3 events', next: 'millrace backfill --doubt', values: {} }],
})
