// How far a run has come, one small object a step, as nothing is overwritten: a run that was killed goes on after the last user that
// is surely done, with what was counted until then. It belongs to one entry of the production pointer's log: a batch that becomes
// current again has all its users to see again. User ids are in the objects and never in their names.
import * as z from 'zod/mini'
import type { ObjectStore } from '../platform/object-store.ts'
import type { Random } from '../platform/random.ts'
import { RescoreError } from './errors.ts'
import { addCounts, noCounts, type RescoreCounts } from './rescore-counts.ts'
import type { RescoreTarget } from './rescore-users.ts'

/** Which run of which sweep: `after` the entry of that number made the batch current, or `before` the one that follows it does. */
export interface Sweep extends RescoreTarget {
  readonly when: 'before' | 'after'
  /** Of the newest entry of the production pointer's log. */
  readonly entry: number
}

export interface Step {
  /** The last user that is done, and all of the segment before it; absent: none was. */
  readonly after?: string | undefined
  readonly isDone: boolean
  /** Of the whole segment until then. */
  readonly counts: RescoreCounts
}

export interface Progress {
  readonly segments: number
  /** Whether a run before this one began it. */
  readonly isResumed: boolean
  /** By segment; a segment that has not begun is where it begins. */
  readonly steps: readonly Step[]
  /** Throws RescoreError `rescore-running` where somebody else has written the same step, and ObjectStoreError. */
  save(segment: number, step: Step): Promise<void>
}

export interface ProgressPorts {
  readonly objects: ObjectStore
  readonly random: Random
}

const count = z.number().check(z.int(), z.gte(0))
const startSchema = z.object({ segments: z.number().check(z.int(), z.gt(0)), token: z.string() })
const stepSchema = z.object({
  after: z.optional(z.string()),
  isDone: z.boolean(),
  counts: z.object({
    users: count,
    rescored: count,
    already: count,
    conflicts: count,
    left: count,
    corrupt: count,
    refused: count,
    noAnswer: count,
  }),
  token: z.string(),
})

/** Before any step. */
const BEGINNING: Step = { isDone: false, counts: noCounts() }

/** The run that was not finished, or a new one of so many segments. Throws RescoreError, ObjectStoreError. */
export async function openProgress(sweep: Sweep, segments: number, ports: ProgressPorts): Promise<Progress> {
  const prefix = `rescore/${sweep.model}/${sweep.batchId}/${sweep.when}-${pad(sweep.entry)}/`
  const found = await findRun(prefix, ports.objects)
  const token = Array.from({ length: 4 }, () => Math.floor(ports.random() * 2 ** 32).toString(36)).join('-')
  if (found !== undefined && !found.steps.every(({ isDone }) => isDone)) {
    const { run, begun, steps, numbers } = found
    return opened({ prefix: runPrefix(prefix, run), token, numbers, objects: ports.objects }, begun, steps, true)
  }
  const ownPrefix = runPrefix(prefix, (found?.run ?? 0) + 1)
  await create(ports.objects, `${ownPrefix}start`, { segments, token })
  const steps = Array.from({ length: segments }, () => BEGINNING)
  const numbers = steps.map(() => 0)
  return opened({ prefix: ownPrefix, token, numbers, objects: ports.objects }, segments, steps, false)
}

export function totalOf(steps: readonly Step[]): RescoreCounts {
  const total = noCounts()
  for (const { counts } of steps) addCounts(total, counts)
  return total
}

interface OwnRun {
  readonly prefix: string
  readonly token: string
  /** Of the last step of each segment. */
  readonly numbers: number[]
  readonly objects: ObjectStore
}

function opened(
  { prefix, token, numbers, objects }: OwnRun,
  segments: number,
  steps: readonly Step[],
  isResumed: boolean,
): Progress {
  return {
    segments,
    isResumed,
    steps,
    async save(segment, { after, isDone, counts }) {
      const number = (numbers[segment] ?? 0) + 1
      await create(objects, `${prefix}${pad(segment)}/${pad(number)}`, { after, isDone, counts, token })
      numbers[segment] = number
    },
  }
}

interface FoundRun {
  readonly run: number
  readonly begun: number
  readonly steps: readonly Step[]
  readonly numbers: number[]
}

/** The newest run of the sweep: names are in order, so the last of each segment is the newest step. */
async function findRun(prefix: string, objects: ObjectStore): Promise<FoundRun | undefined> {
  let run = 0
  let last = new Map<number, number>()
  for await (const { key } of objects.list(prefix)) {
    const [, runText, segment, number] = /^(\d{9})\/(?:start|(\d{9})\/(\d{9}))$/.exec(key.slice(prefix.length)) ?? []
    if (runText === undefined) continue
    if (Number(runText) !== run) last = new Map()
    run = Number(runText)
    if (segment !== undefined) last.set(Number(segment), Number(number))
  }
  if (run === 0) return undefined
  const ownPrefix = runPrefix(prefix, run)
  const begun = (await read(objects, `${ownPrefix}start`, startSchema)).segments
  const numbers = Array.from({ length: begun }, (_, segment) => last.get(segment) ?? 0)
  const steps = await Promise.all(
    numbers.map(async (number, segment): Promise<Step> => {
      if (number === 0) return BEGINNING
      const { after, isDone, counts } = await read(objects, `${ownPrefix}${pad(segment)}/${pad(number)}`, stepSchema)
      return { after, isDone, counts }
    }),
  )
  return { run, begun, steps, numbers }
}

function runPrefix(prefix: string, run: number): string {
  return `${prefix}${pad(run)}/`
}

function pad(number: number): string {
  return String(number).padStart(9, '0')
}

async function create(objects: ObjectStore, key: string, value: object): Promise<void> {
  const body = Buffer.from(JSON.stringify(value))
  if ((await objects.create(key, body, { contentType: 'application/json' })) === 'created') return
  // A create of ours whose answer was lost meets itself.
  const there = await objects.get(key)
  if (there !== undefined && body.equals(there)) return
  throw new RescoreError('Somebody else is rescoring the same model', {
    code: 'rescore-running',
    next: 'Let that run go on; this one has harmed nothing.',
  })
}

async function read<Schema extends z.core.$ZodType>(
  objects: ObjectStore,
  key: string,
  schema: Schema,
): Promise<z.core.output<Schema>> {
  const body = await objects.get(key)
  try {
    return z.parse(schema, JSON.parse(Buffer.from(body ?? []).toString('utf8')))
  } catch (cause) {
    throw new RescoreError(`The object ${key} is not what a run writes`, {
      code: 'rescore-progress-invalid',
      next: 'Compare it with an earlier version of the bucket; nothing of Millrace overwrites an object.',
      cause,
    })
  }
}
