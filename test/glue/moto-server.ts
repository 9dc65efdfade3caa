// moto's Glue as a process: what AWS Glue stores and answers, in memory, gone when it stops.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface MotoServer {
  readonly url: string
  /** It has forgotten everything when it comes back, at the same address. */
  readonly stop: () => Promise<void>
}

const START_MS_MAX = 60_000
const START_POLL_MS = 100

export async function startMoto(program: string, port?: number): Promise<MotoServer> {
  const onPort = port ?? (await freePort())
  const child = spawn(program, ['-H', '127.0.0.1', '-p', String(onPort)], { stdio: ['ignore', 'ignore', 'ignore'] })
  let ended: string | undefined
  const end = new Promise<void>(resolve => {
    child.on('error', error => {
      ended = error.message
      resolve()
    })
    child.on('exit', code => {
      ended = `exit code ${code ?? 'none'}`
      resolve()
    })
  })
  const url = `http://127.0.0.1:${onPort}`
  const startedMs = performance.now()
  while (!(await isUp(url))) {
    if (ended !== undefined) throw new Error(`${program} ended: ${ended}`)
    if (performance.now() - startedMs > START_MS_MAX) {
      child.kill()
      throw new Error(`${program} does not answer at ${url}`)
    }
    await sleep(START_POLL_MS)
  }
  return {
    url,
    async stop() {
      child.kill()
      await end
    },
  }
}

export function portOf({ url }: MotoServer): number {
  return Number(new URL(url).port)
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/moto-api/data.json`)).ok
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>(resolve => server.close(() => resolve()))
  return port
}
