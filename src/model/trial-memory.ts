// How much memory another process has now.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'

const BYTES_PER_KB = 1024

/** undefined: it is gone, or this system does not tell. */
export async function rssBytesOf(pid: number): Promise<number | undefined> {
  const text = process.platform === 'linux' ? await statusOf(pid) : await psOf(pid)
  const kilobytes = /(\d+)/.exec(text)?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * BYTES_PER_KB
}

/** proc(5): `VmRSS:     93184 kB`. */
async function statusOf(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return /^VmRSS:.*$/m.exec(status)?.[0] ?? ''
}

function psOf(pid: number): Promise<string> {
  return new Promise(resolve => {
    execFile('ps', ['-o', 'rss=', '-p', String(pid)], (_, stdout) => resolve(stdout))
  })
}
