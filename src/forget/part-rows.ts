// The rows of one user in the parts of a batch, whatever the batch is of: records of the stream, imported events, or rows with columns.
import { gzipSync } from 'node:zlib'
import { bucketOfPart, EVENTS_TABLE, HISTORY_FORMAT, IMPORTS_TABLE } from '../archive/history-tables.ts'
import { linesOfPart } from '../archive/line-parts.ts'
import type { Column, Row } from '../catalog/columns.ts'
import type { BatchRecord } from '../catalog/items.ts'
import type { LoadedPart } from '../catalog/load-batch.ts'
import type { Manifest } from '../catalog/manifest.ts'
import type { TableRef } from '../catalog/names.ts'
import { ROW_FORMATS, rowFormat } from '../catalog/row-formats.ts'
import type { StreamRecord } from '../event/stream-record.ts'
import { HOUR_MS } from '../platform/duration.ts'
import { bucketOfPart as bucketOfSnapshotPart } from '../snapshot/part-names.ts'
import { SNAPSHOT_TABLE } from '../snapshot/snapshot-table.ts'
import type { Pass } from './ports.ts'
import { decoding } from './unreadable.ts'

type PartBytes = Pick<LoadedPart, 'name' | 'body'>

export interface PartRows {
  /** By its name. */
  mayHold(partName: string): boolean
  count(part: PartBytes): Promise<number>
  without(part: PartBytes): Promise<{ readonly body: Uint8Array; readonly rows: number }>
}

export interface BatchToRead {
  readonly ref: TableRef
  readonly manifest: Pick<Manifest, 'table' | 'format' | 'columns'>
  readonly record: Pick<BatchRecord, 'at'>
}

/** Undefined: nobody can tell what is in it. What cannot be decoded throws MillraceError `part-unreadable`. */
export function partRows(pass: Pass, batch: BatchToRead): PartRows | undefined {
  const rows = rowsOfKind(pass, batch)
  return (
    rows && {
      mayHold: name => rows.mayHold(name),
      count: part => decoding(() => rows.count(part)),
      without: part => decoding(() => rows.without(part)),
    }
  )
}

function rowsOfKind(pass: Pass, batch: BatchToRead): PartRows | undefined {
  const { ref, manifest } = batch
  const isOwn = ref.db === pass.pipeline
  const isHistory = isOwn && manifest.format === HISTORY_FORMAT && manifest.columns.length === 0
  if (isHistory && ref.table === EVENTS_TABLE) return lineRows(pass, line => isForgottenRecord(pass, line))
  if (isHistory && ref.table === IMPORTS_TABLE) return lineRows(pass, line => isForgottenImport(pass, batch, line))
  if (!ROW_FORMATS.some(format => format === manifest.format) || manifest.columns.length === 0) return undefined
  return columnRows(pass, batch, isOwn && ref.table === SNAPSHOT_TABLE)
}

function isBucket(pass: Pass, bucket: number | undefined): boolean {
  return bucket === undefined || bucket === pass.whose.bucket
}

const GZIP_LEVEL = 4

function lineRows(pass: Pass, isForgotten: (line: Uint8Array) => boolean): PartRows {
  return {
    mayHold: name => isBucket(pass, bucketOfPart(name)),
    count: async part => linesOfPart(part).filter(isForgotten).length,
    async without(part) {
      const kept = linesOfPart(part).filter(line => !isForgotten(line))
      const plain = Buffer.concat(kept.flatMap(line => [line, NEWLINE]))
      return { body: gzipSync(plain, { level: GZIP_LEVEL }), rows: kept.length }
    },
  }
}

const NEWLINE = Buffer.from('\n')

function isForgottenRecord({ whose, untilMs, tally }: Pass, line: Uint8Array): boolean {
  const { partitionKey, data, arrivalMs } = JSON.parse(Buffer.from(line).toString('utf8')) as StreamRecord & {
    readonly data: string
  }
  const verdict = whose.record({ partitionKey, dataBase64: data })
  if (verdict.of !== 'own') return false
  if (arrivalMs <= untilMs) return true
  if (verdict.idHash !== undefined) tally.newLifeIds.add(verdict.idHash)
  return false
}

/** What came later is of another life, where its time says so. */
function isForgottenImport(pass: Pass, { record }: BatchToRead, line: Uint8Array): boolean {
  const verdict = pass.whose.payload(line)
  if (verdict.of !== 'own') return false
  if (isOfBefore(pass, record) || (verdict.ts ?? Number.POSITIVE_INFINITY) <= pass.untilMs) return true
  if (verdict.idHash !== undefined) pass.tally.newLifeIds.add(verdict.idHash)
  return false
}

/** Whoever wrote the batch has a clock of his own. */
const CLOCKS_DIFFER_MS = HOUR_MS

/** Whether its rows are of the life that is forgotten: where nothing arrived later, all are. */
function isOfBefore({ itemGoneMs, tally }: Pass, { at }: Pick<BatchRecord, 'at'>): boolean {
  return at <= itemGoneMs + CLOCKS_DIFFER_MS || tally.newLifeIds.size === 0
}

/** A row is of whom this column names; without one, of whoever is named in any. */
const USER_COLUMNS = ['user_id', 'userId', 'user']

function columnRows(pass: Pass, { manifest, record }: BatchToRead, isSnapshot: boolean): PartRows {
  const { columns, table } = manifest
  const format = rowFormat(table, manifest)
  const named = USER_COLUMNS.flatMap(name => columns.find(column => column.name === name) ?? []).slice(0, 1)
  const looked: readonly Column[] = named.length > 0 ? named : columns.filter(({ type }) => mayBeId(type))
  const isForgotten = (row: Row): boolean => looked.some(({ name }) => pass.whose.isNamedIn(row[name]))
  return {
    mayHold: name =>
      isOfBefore(pass, record) &&
      looked.length > 0 &&
      isBucket(pass, isSnapshot ? bucketOfSnapshotPart(name) : undefined),
    async count({ body }) {
      const { data, rows } = await format.readColumns(looked, body)
      let count = 0
      for (let row = 0; row < rows; row++) if (data.some(values => pass.whose.isNamedIn(values[row]))) count++
      return count
    },
    async without({ body }) {
      const kept: Row[] = []
      for await (const rows of format.read(columns, body)) for (const row of rows) if (!isForgotten(row)) kept.push(row)
      return { body: format.write(columns, kept), rows: kept.length }
    },
  }
}

function mayBeId(type: string): boolean {
  return !/boolean|timestamp/.test(type) || type.startsWith('map')
}
