// One invocation in a process of its own: the handler of ./index.mjs, the event on stdin, the outcome as the last line.
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

const { handler } = await import(pathToFileURL(`${process.cwd()}/index.mjs`).href)
const context = {
  awsRequestId: 'r1',
  functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
  getRemainingTimeInMillis: () => 20_000,
}
const outcome = await handler(JSON.parse(await text(process.stdin)), context).then(
  result => ({ result }),
  error => ({ error: { name: error.name, code: error.code, message: error.message } }),
)
process.stdout.write(`\n${JSON.stringify(outcome)}\n`, () => process.exit(0))
