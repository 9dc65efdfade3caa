// The command line as a person uses it: a process of its own, in the folder of the pipeline, with the address of the cloud to talk to.
import { execFile } from 'node:child_process'
import { join } from 'node:path'

export interface Ran {
  /** As it was typed. */
  readonly command: string
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const COMMAND_FILE = join(import.meta.dirname, '..', 'bin', 'millrace.mjs')
/** A list of some thousand dead letters is a few megabytes. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024

export function millrace(
  words: readonly string[],
  { cwd, endpoint }: { readonly cwd: string; readonly endpoint: string },
): Promise<Ran> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|MILLRACE_|npm_|NODE_OPTIONS)/.test(name))
  const env = { USER: 'drill', ...Object.fromEntries(kept), AWS_ENDPOINT_URL: endpoint }
  const command = commandText(words)
  return new Promise((resolve, reject) => {
    const options = { cwd, env, maxBuffer: OUTPUT_BYTES_MAX }
    execFile(process.execPath, [COMMAND_FILE, ...words], options, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : error.code
      if (typeof exitCode === 'number') resolve({ command, exitCode, stdout, stderr })
      else reject(new Error(`${command} did not end by itself`, { cause: error }))
    })
  })
}

/** As a shell would take it. */
export function commandText(words: readonly string[]): string {
  const quoted = words.map(word => (/^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
  return ['millrace', ...quoted].join(' ')
}
