// The capacity that a DynamoDB table is given and that its emulator does not know: puts beyond it are refused as DynamoDB refuses them,
// after what was not used of the last seconds is used up.
import type { Refuse } from '../../localstack/refusal.ts'
import type { Clock } from '../../src/platform/clock.ts'

export interface TableCapacity {
  /** Of each table by itself. */
  readonly putsPerSecond: number
  /** Unused capacity that is kept, s. DynamoDB keeps 300; the fewer, the sooner a table is at its limit. */
  readonly burstSeconds: number
}

const PUT = 'DynamoDB_20120810.PutItem'
const TABLE_NAME = /"TableName":"([^"]+)"/

export function refuseBeyond({ putsPerSecond, burstSeconds }: TableCapacity, clock: Clock): Refuse {
  const most = putsPerSecond * burstSeconds
  const tables = new Map<string, { left: number; atMs: number }>()
  return (target, body) => {
    if (target !== PUT) return undefined
    const name = TABLE_NAME.exec(body)?.[1] ?? ''
    const nowMs = clock()
    const table = tables.get(name) ?? { left: most, atMs: nowMs }
    tables.set(name, table)
    table.left = Math.min(most, table.left + (putsPerSecond * Math.max(0, nowMs - table.atMs)) / 1000)
    table.atMs = nowMs
    if (table.left < 1) {
      const message = `The table ${name} takes ${putsPerSecond} puts a second here`
      return { code: 'ProvisionedThroughputExceededException', message }
    }
    table.left -= 1
    return undefined
  }
}
