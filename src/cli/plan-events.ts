// Events for `millrace plan` to try new contracts on: a day of the archive, by default the last whole one, or a file.
import { resolve } from 'node:path'
import { readArchivedHours } from '../archive/archived-hours.ts'
import type { Contracts } from '../event/compile-contracts.ts'
import type { Connection } from '../compose/connect.ts'
import { DAY_MS } from '../platform/duration.ts'
import type { Definitions } from '../predictions/definitions.ts'
import { type ContractChange, ContractComparison, contractsOf } from '../replay/contract-change.ts'
import type { CommandContext } from './command.ts'
import { UsageError } from './errors.ts'
import { readPayloads } from './read-events-file.ts'

/** A day of 50 million would take a quarter of an hour; its first million tells the same. */
const EVENTS_MAX = 1_000_000
const EVENTS_PER_PROGRESS = 200_000

export type EventsSource =
  | { readonly kind: 'none' }
  /** `day`: `2026-01-02`, UTC. */
  | { readonly kind: 'day'; readonly day: string; readonly fromMs: number }
  | { readonly kind: 'file'; readonly file: string }

export interface TriedEvents extends ContractChange {
  readonly source: string
  /** False where the source has more than were tried. */
  readonly isWhole: boolean
}

/** `none`, a day as `2026-01-02`, or a file; yesterday unless given. Throws UsageError. */
export function eventsSource(text: string | undefined, nowMs: number): EventsSource {
  if (text === 'none') return { kind: 'none' }
  if (text === undefined) return dayOf(Math.floor(nowMs / DAY_MS) * DAY_MS - DAY_MS)
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return { kind: 'file', file: text }
  const fromMs = Date.parse(`${text}T00:00:00Z`)
  if (Number.isNaN(fromMs)) throw new UsageError(`--events is "${text}"`, 'Give a day as 2026-01-02, a file, or none.')
  return dayOf(fromMs)
}

export interface TryEvents {
  readonly context: CommandContext
  /** Undefined: nothing is deployed, or nobody looked. */
  readonly deployed: Definitions | undefined
  readonly now: Contracts
  /** Undefined: no day can be read. */
  readonly connection: Connection | undefined
  readonly db: string
}

/** Undefined where there is nothing to try. */
export async function tryEvents(source: EventsSource, options: TryEvents): Promise<TriedEvents | undefined> {
  const { context, deployed, now, connection } = options
  if (source.kind === 'none' || (source.kind === 'day' && connection === undefined)) return undefined
  const comparison = new ContractComparison(deployed === undefined ? undefined : contractsOf(deployed), now)
  let tried = 0
  for await (const add of source.kind === 'file' ? fromFile(source.file, context) : fromDay(source, options)) {
    if (tried === EVENTS_MAX) return { ...comparison.summary(), source: sourceText(source), isWhole: false }
    add(comparison)
    tried++
    if (tried % EVENTS_PER_PROGRESS === 0 && !context.isJson) context.stderr.write(`${tried} events tried so far\n`)
  }
  return { ...comparison.summary(), source: sourceText(source), isWhole: true }
}

type Add = (comparison: ContractComparison) => void

async function* fromFile(file: string, { cwd }: CommandContext): AsyncGenerator<Add> {
  for await (const { line, payload } of readPayloads(resolve(cwd, file))) {
    yield comparison => comparison.addPayload(payload, line)
  }
}

async function* fromDay({ fromMs }: { readonly fromMs: number }, { connection, db }: TryEvents): AsyncGenerator<Add> {
  if (connection === undefined) return
  const { catalog, archive } = connection
  for await (const record of readArchivedHours({ catalog, archive, db }, fromMs, fromMs + DAY_MS)) {
    yield comparison => comparison.addRecord(record)
  }
}

function dayOf(fromMs: number): EventsSource {
  return { kind: 'day', day: new Date(fromMs).toISOString().slice(0, 10), fromMs }
}

function sourceText(source: EventsSource): string {
  return source.kind === 'day' ? source.day : source.kind === 'file' ? source.file : 'none'
}
