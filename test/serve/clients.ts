// The handlers tried with clients that a machine may lack: curl and Python's standard library. Run by .ci/run as
// `node --conditions=millrace-source test/serve/clients.ts`; it fails where one is missing, and exits 0 when all agree.
import { spawn } from 'node:child_process'
import { deepStrictEqual, strictEqual } from 'node:assert'
import { fileURLToPath } from 'node:url'
import { httpGateway } from '../fakes/http-gateway.ts'
import { ingestWorld, orderJson } from './ingest-world.ts'
import { parts, serveWorld, USER } from './world.ts'

const { handler } = serveWorld()
const gateway = await httpGateway({
  '/users/{userId}': handler,
  '/users/{userId}/features': handler,
  '/users/{userId}/predictions': handler,
  '/events': ingestWorld().handler,
})
try {
  await tryCurl()
  const script = fileURLToPath(new URL('clients.py', import.meta.url))
  process.stdout.write(await run('python3', [script, gateway.url, USER, parts.features, orderJson()]))
} finally {
  await gateway.close()
}

async function tryCurl(): Promise<void> {
  const url = `${gateway.url}/users/${USER}/features`
  const curl = (...options: string[]): Promise<string> => run('curl', ['--silent', '--show-error', ...options])
  strictEqual(await curl(url), parts.features)
  strictEqual(await curl('--compressed', url), parts.features)
  for (const coding of ['deflate', 'gzip']) {
    strictEqual(await curl('--compressed', '--header', `Accept-Encoding: ${coding}`, url), parts.features)
  }
  const head = await curl('--head', url)
  const etag = /^etag: (".*")\r$/m.exec(head)?.[1] ?? ''
  const status = ['--output', '/dev/null', '--write-out', '%{http_code}']
  strictEqual(await curl(...status, '--header', `If-None-Match: ${etag}`, url), '304')
  strictEqual(await curl(...status, `${gateway.url}/users/nobody/features`), '404')
  const posted = await curl('--json', orderJson(), `${gateway.url}/events`)
  deepStrictEqual(JSON.parse(posted), {
    accepted: 1,
    refused: 0,
    undelivered: 0,
    results: [{ index: 0, id: 'o-1', status: 'accepted' }],
  })
  process.stdout.write('curl: plain, deflate, gzip, HEAD, 304, 404 and POST agree\n')
}

function run(command: string, commandArguments: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArguments, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    child.on('error', reject)
    child.on('close', code => (code === 0 ? resolve(output) : reject(new Error(`${command} ended with ${code}`))))
  })
}
