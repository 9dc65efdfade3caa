import { describe, expect, it } from 'vitest'
import type { Command, CommandEntry } from '../../src/cli/command.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { MillraceError } from '../../src/platform/errors.ts'
import { testWorld } from './cli-world.ts'

const get: Command = {
  name: 'users get',
  summary: 'Read one user.',
  positionals: ['userId', 'field?'],
  options: {
    stage: { type: 'string', value: 'STAGE', default: 'dev', description: 'Which one.' },
    tag: { type: 'string', multiple: true, description: 'Any number.' },
    raw: { type: 'boolean', description: 'As stored.' },
    count: { type: 'string', description: 'How many.' },
  },
  run: async (context, args) =>
    context.result(
      {
        userId: args.positional('userId'),
        field: args.optionalPositional('field') ?? null,
        stage: args.requiredText('stage'),
        tags: args.texts('tag'),
        raw: args.flag('raw'),
        count: args.wholeNumber('count', { min: 1, max: 10 }) ?? null,
      },
      () => ['for', 'people'],
    ),
}
const push: Command = {
  name: 'push',
  summary: 'Write something.',
  positionals: [],
  options: {},
  changesThings: true,
  run: async context => context.result({ isDryRun: context.isDryRun }, () => 'pushed'),
}
const failing = (error: unknown): Command => ({ ...push, name: 'fail', run: () => Promise.reject(error) })

function entry(command: Command): CommandEntry {
  return { name: command.name, summary: command.summary, load: async () => ({ command }) }
}

async function run(words: readonly string[], commands: readonly Command[] = [get, push]) {
  const world = testWorld()
  const code = await runCli(words, commands.map(entry), world)
  return { code, ...world.written }
}

describe('runCli', () => {
  it('gives a command of two words its arguments, options, defaults', async () => {
    const { code, stdout } = await run([
      'users',
      'get',
      'ana',
      '--tag',
      'a',
      '--tag=b',
      '--raw',
      '--count',
      '7',
      '--json',
    ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      userId: 'ana',
      field: null,
      stage: 'dev',
      tags: ['a', 'b'],
      raw: true,
      count: 7,
    })
  })

  it('prints lines for people without --json', async () => {
    expect(await run(['users', 'get', 'ana'])).toEqual({ code: 0, stdout: 'for\npeople\n', stderr: '' })
  })

  it.each([['--help'], ['-h'], ['help']])('lists the commands on %s without loading one', async word => {
    const broken = { name: 'push', summary: 'Write something.', load: () => Promise.reject(new Error('loaded')) }
    const world = testWorld()
    expect(await runCli([word], [broken], world)).toBe(0)
    expect(world.written.stdout).toContain('push  Write something.')
  })

  it('shows how to use it and fails where no command is named', async () => {
    const { code, stdout } = await run([])
    expect(code).toBe(2)
    expect(stdout).toContain('users get')
  })

  it('shows one command with its options and defaults, even where its arguments are missing', async () => {
    const { code, stdout } = await run(['users', 'get', '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('Usage: millrace users get <userId> [field] [options]')
    expect(stdout).toContain('--stage STAGE')
    expect(stdout).toContain('Default: dev.')
    expect(stdout).not.toContain('--dry-run')
  })

  it('shows options that must be given in the usage line, and asks for them', async () => {
    const needy: Command = {
      ...push,
      name: 'need',
      positionals: ['file'],
      options: {
        at: { type: 'string', value: 'TIME', required: true, description: 'When.' },
        from: { type: 'string', value: 'FILE', required: true, multiple: true, description: 'Where from.' },
        tag: { type: 'string', description: 'Or not.' },
      },
    }
    const of = (...words: string[]) => run(['need', ...words], [needy])
    const help = await of('--help')
    expect(help).toMatchObject({ code: 0 })
    expect(help.stdout).toContain('Usage: millrace need <file> --at TIME --from FILE... [options]\n')
    expect(await of('x', '--at', 'now')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: '--from is missing (usage)\nSee millrace need --help.\n',
    })
    expect((await of('x', '--from', 'a')).stderr).toContain('--at is missing')
    expect((await of('x', '--from', 'a', '--at', 'now')).code).toBe(0)
  })

  it('prints its version', async () => {
    expect(await run(['--version'])).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' })
  })

  it('offers --dry-run on what changes things, and nowhere else', async () => {
    expect((await run(['push', '--dry-run', '--json'])).stdout).toBe('{"isDryRun":true}\n')
    expect((await run(['push', '--help'])).stdout).toContain('--dry-run')
    expect((await run(['users', 'get', 'ana', '--dry-run'])).code).toBe(2)
  })

  it.each([
    [['pusj'], 'Did you mean "push"?'],
    [['users', 'gte', 'ana'], 'Did you mean "users get"?'],
    [['user', 'get'], 'Did you mean "users get"?'],
    [['users'], 'Commands: users get.'],
    [['constructor'], 'See millrace --help.'],
    [['users', 'get', 'ana', '--stagee', 'x'], 'Did you mean --stage?'],
    [['users', 'get', 'ana', '--toString'], 'See millrace users get --help.'],
    [['users', 'get'], 'userId is missing'],
    [['users', 'get', 'ana', 'spend', 'more'], '"more" is one word too many'],
    [['users', 'get', 'ana', '--stage'], '--stage'],
    [['users', 'get', 'ana', '--raw=yes'], '--raw'],
    [['users', 'get', 'ana', '--count', '11'], 'Give a whole number from 1 to 10.'],
    [['users', 'get', 'ana', '--count', '1e1'], 'Give a whole number from 1 to 10.'],
  ])('answers %j with exit code 2 and what was probably meant', async (words, hint) => {
    const { code, stdout, stderr } = await run(words)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain(hint)
  })

  it('says message, code and next step of an error, with exit code 1', async () => {
    const error = new MillraceError('No model', { code: 'model-not-found', next: 'Publish one.' })
    expect(await run(['fail'], [failing(error)])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'No model (model-not-found)\nPublish one.\n',
    })
    const { stderr } = await run(['fail', '--json'], [failing(error)])
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'model-not-found', message: 'No model', next: 'Publish one.' },
    })
  })

  it('says the cause of an error, and the cause of that', async () => {
    const socket = new Error('connect ECONNREFUSED')
    const parse = Object.assign(new Error('line one\n  line two', { cause: socket }), { name: 'TimeoutError' })
    const error = new MillraceError('No answer', { code: 'no-answer', next: 'Start it.', cause: parse })
    const cause = 'TimeoutError: line one line two, because of connect ECONNREFUSED'
    expect((await run(['fail'], [failing(error)])).stderr).toBe(`No answer (no-answer)\nCause: ${cause}\nStart it.\n`)
    const { stderr } = await run(['fail', '--json'], [failing(error)])
    expect(JSON.parse(stderr)).toEqual({ error: { code: 'no-answer', message: 'No answer', cause, next: 'Start it.' } })
  })

  it('shows where an unexpected error comes from', async () => {
    const { code, stderr } = await run(['fail'], [failing(new TypeError('x is not a function'))])
    expect(code).toBe(1)
    expect(stderr).toMatch(/Unexpected: TypeError: x is not a function\n\s+at /)
  })

  it('makes a stop signal only for a command that runs until it is stopped', async () => {
    let made = 0
    const world = testWorld({
      onStop: () => {
        made++
        return AbortSignal.abort()
      },
    })
    const stopping: Command = {
      ...push,
      name: 'stay',
      runsUntilStopped: true,
      run: async context => context.result(context.signal.aborted, () => ''),
    }
    await runCli(['push'], [entry(push)], world)
    expect(made).toBe(0)
    await runCli(['stay', '--json'], [entry(stopping)], world)
    expect(world.written.stdout).toBe('pushed\ntrue\n')
  })
})

describe('the registry', () => {
  it('says of each command what its file says, once', async () => {
    for (const { name, summary, load } of COMMANDS) {
      const { command } = await load()
      expect({ name, summary }).toEqual({ name: command.name, summary: command.summary })
      expect(Object.keys(command.options)).not.toEqual(expect.arrayContaining(['help']))
    }
    expect(new Set(COMMANDS.map(one => one.name)).size).toBe(COMMANDS.length)
  })
})
