import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type FunctionProcess, startFunctionProcess } from '../../localstack/function-process.ts'

let folder = ''
let running: FunctionProcess | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-test-'))
})
afterEach(async () => {
  await running?.stop()
  await rm(folder, { recursive: true })
})

async function start(code: string, { handler = 'index.handler', timeoutMs = 5000 } = {}): Promise<FunctionProcess> {
  await writeFile(join(folder, 'index.mjs'), code)
  running = startFunctionProcess({
    codeFolder: folder,
    environment: { _HANDLER: handler, LAMBDA_TASK_ROOT: folder, AWS_LAMBDA_FUNCTION_NAME: 'test' },
    memoryMb: 64,
    timeoutMs,
    log: () => undefined,
  })
  return running
}

const exporting = (body: string): string => `export const handler = async (event, context) => { ${body} }`

it.each([
  ['a value', 'return { got: event.a, name: context.functionName }', '{"got":1,"name":"test"}'],
  ['nothing as null', '', 'null'],
  ['a date as JSON has it', 'return new Date(0)', '"1970-01-01T00:00:00.000Z"'],
])('returns %s', async (_name, body, payload) => {
  expect(await (await start(exporting(body))).invoke('{"a":1}')).toEqual({ kind: 'returned', payload })
})

it.each([
  ['an error with its type', exporting("throw new RangeError('no')"), 'RangeError', /^no$/],
  ['a thrown text', exporting("throw 'text'"), 'string', /^text$/],
  ['a result that is too large', exporting("return 'x'.repeat(7e6)"), 'Function.ResponseSizeTooLarge', /7000002 bytes/],
  ['a process that ends', exporting('process.exit(7)'), 'Runtime.ExitError', /exit status 7/],
  ['code that throws while it loads', "throw new TypeError('loading')", 'TypeError', /^loading$/],
  ['a handler that is not exported', 'export const other = 1', 'Runtime.HandlerNotFound', /index.handler/],
])('fails for %s', async (_name, code, errorType, errorMessage) => {
  const outcome = await (await start(code)).invoke('{}')
  expect(outcome).toMatchObject({ kind: 'failed', errorType, errorMessage: expect.stringMatching(errorMessage) })
})

it('fails for a module that is not in the zip', async () => {
  const outcome = await (await start('', { handler: 'elsewhere.handler' })).invoke('{}')
  expect(outcome).toMatchObject({ kind: 'failed', errorType: 'Runtime.ImportModuleError' })
})

it('is killed when it takes longer than its timeout', async () => {
  const process_ = await start(exporting('while (true);'), { timeoutMs: 200 })
  expect(await process_.invoke('{}')).toMatchObject({ kind: 'failed', errorType: 'Sandbox.Timedout' })
  expect(process_.isAlive()).toBe(false)
  await expect.poll(() => isRunning(process_.pid)).toBe(false)
})

it('is gone when it is stopped', async () => {
  const process_ = await start(exporting('return 1'))
  await process_.invoke('{}')
  expect(isRunning(process_.pid)).toBe(true)
  await process_.stop()
  expect(isRunning(process_.pid)).toBe(false)
})

function isRunning(pid: number | undefined): boolean {
  if (pid === undefined) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
