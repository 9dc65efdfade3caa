// What the local cloud tells about itself at `/_local/…`, for commands that run in another process than the cloud.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendJson } from './http-answer.ts'
import { LOCAL_PATH_PREFIX } from './request-kind.ts'
import type { ShardCounters } from './shard-counters.ts'

export interface LocalStatus {
  readonly endpoint: string
  readonly outputs: Readonly<Record<string, string>>
  readonly notes: readonly string[]
  readonly functions: readonly {
    readonly key: string
    readonly functionName: string
    readonly environment: Readonly<Record<string, string>>
    readonly pids: readonly number[]
  }[]
  readonly mappings: readonly {
    readonly logicalId: string
    readonly streamName: string
    readonly functionName: string
    readonly shards: readonly Readonly<ShardCounters>[]
  }[]
}

export interface LocalApiOptions {
  readonly status: () => LocalStatus
  readonly fireSchedule: (name: string) => Promise<unknown>
}

const FIRE_PATH = /^schedules\/([^/?]+)\/fire$/

/** `GET /_local/status` and `POST /_local/schedules/{name}/fire` */
export function localApi({ status, fireSchedule }: LocalApiOptions) {
  return async (request: IncomingMessage, _body: Buffer, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '').slice(LOCAL_PATH_PREFIX.length)
    const schedule = FIRE_PATH.exec(path)?.[1]
    if (request.method === 'GET' && path === 'status') return sendJson(response, 200, status())
    if (request.method !== 'POST' || schedule === undefined) return sendJson(response, 404, { message: 'Not Found' })
    try {
      sendJson(response, 200, { result: await fireSchedule(decodeURIComponent(schedule)) })
    } catch (error) {
      sendJson(response, 500, { message: String(error) })
    }
  }
}
