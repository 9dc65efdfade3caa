// A metastore in memory. A hook may throw or wait before any of its writes, as one that is away or slow would.
import type { MirrorName, MirrorPartition, MirrorTable, TableMirror } from '../../src/catalog/table-mirror.ts'

export type MirrorWrite = 'createTable' | 'updateTable' | 'dropTable' | 'putPartitions' | 'dropPartitions'

export interface MemoryTableMirror extends TableMirror {
  /** What was asked of it, in order. */
  readonly calls: string[]
  readonly tables: Map<string, MirrorTable>
  /** By table, then by values as JSON. */
  readonly rows: Map<string, Map<string, MirrorPartition>>
}

export function memoryTableMirror(beforeWrite?: (write: MirrorWrite) => Promise<void> | void): MemoryTableMirror {
  const tables = new Map<string, MirrorTable>()
  const rows = new Map<string, Map<string, MirrorPartition>>()
  const calls: string[] = []
  const nameOf = ({ database, name }: MirrorName): string => `${database}.${name}`
  const rowsOf = (at: MirrorName): Map<string, MirrorPartition> => {
    const known = rows.get(nameOf(at)) ?? new Map<string, MirrorPartition>()
    rows.set(nameOf(at), known)
    return known
  }
  const write = async (name: MirrorWrite, effect: () => void): Promise<void> => {
    await Promise.resolve()
    await beforeWrite?.(name)
    calls.push(name)
    effect()
  }
  const read = async <T>(name: string, effect: () => T): Promise<T> => {
    await Promise.resolve()
    calls.push(name)
    return effect()
  }
  return {
    calls,
    tables,
    rows,
    table: at => read('table', () => tables.get(nameOf(at))),
    createTable: (at, table) =>
      write('createTable', () => void (tables.has(nameOf(at)) || tables.set(nameOf(at), table))),
    updateTable: (at, table) => write('updateTable', () => void tables.set(nameOf(at), table)),
    dropTable: at =>
      write('dropTable', () => {
        tables.delete(nameOf(at))
        rows.delete(nameOf(at))
      }),
    partition: (at, values) => read('partition', () => rowsOf(at).get(JSON.stringify(values))),
    async *partitions(at) {
      yield* await read('partitions', () => [...rowsOf(at).values()])
    },
    putPartitions: (at, partitions) =>
      write('putPartitions', () => {
        for (const partition of partitions) rowsOf(at).set(JSON.stringify(partition.values), partition)
      }),
    dropPartitions: (at, dropped) =>
      write('dropPartitions', () => {
        for (const values of dropped) rowsOf(at).delete(JSON.stringify(values))
      }),
  }
}
