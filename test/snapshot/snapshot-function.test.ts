import { describe, expect, it } from 'vitest'
import { pipeline } from '../../src/predictions/pipeline.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { features } from '../../src/features/define.ts'
import { count } from '../../src/features/aggregates.ts'
import { HOUR_MS } from '../../src/platform/duration.ts'
import { readSnapshotEvent, type SnapshotEvent } from '../../src/snapshot/snapshot-events.ts'
import { RUN_MS_MAX, TURNS_MAX, WAKE_AFTER_MS } from '../../src/snapshot/snapshot-function.ts'
import { saidOf } from '../../src/snapshot/snapshot-report.ts'
import { giveUp, readRun } from '../../src/snapshot/start-run.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import { order } from '../features/factories.ts'
import { countingPredictor } from '../recompute/harness.ts'
import { INSTANT, REF, type RunWorld, runWorld, userNames } from './run-world.ts'

const TAKE: SnapshotEvent = { snapshot: 'take', instantMs: INSTANT, requestId: 'night' }
const TAKE_UP: SnapshotEvent = { snapshot: 'take-up' }
const RUN = { partition: REF.partition, number: 1 }

async function workAll(world: RunWorld): Promise<void> {
  for (let event = world.woken.shift(); event !== undefined; event = world.woken.shift()) await world.invoke(event)
}

describe('readSnapshotEvent', () => {
  it('takes the schedule’s own time and id, what it was woken with, and now for anything else', () => {
    expect(readSnapshotEvent({ time: '2024-04-05T00:00:00Z', id: 'night' }, 7)).toEqual(TAKE)
    const work = { snapshot: 'work', partition: 'p', run: 1, segment: 0, turn: 2 } as const
    expect(readSnapshotEvent(work, 7)).toEqual(work)
    expect(readSnapshotEvent({ snapshot: 'take-up' }, 7)).toEqual(TAKE_UP)
    for (const odd of [undefined, {}, 'x', { ...work, segment: -1 }]) {
      expect(readSnapshotEvent(odd, 7)).toEqual({ snapshot: 'take', instantMs: 7 })
    }
  })
})

describe('the first worker', () => {
  it('wakes the others, does its own share, and the last one commits', async () => {
    const world = await runWorld()
    expect(await world.invoke(TAKE)).toMatchObject({ outcome: 'working' })
    expect(world.woken.map(({ segment, turn }) => [segment, turn])).toEqual([
      [1, 0],
      [2, 0],
    ])
    expect(await world.current()).toBeUndefined()
    await world.invoke(world.woken.pop() as SnapshotEvent)
    expect(await world.current()).toBeUndefined()
    const last = await world.invoke(world.woken.pop() as SnapshotEvent)
    expect(last).toMatchObject({ outcome: 'committed', report: { users: 24, segments: 3 } })
    expect(await world.current()).toEqual(userNames(24))
  })

  it('takes no second batch for an event that is delivered again', async () => {
    const world = await runWorld()
    await world.invoke(TAKE)
    await workAll(world)
    expect(await world.invoke(TAKE)).toMatchObject({ outcome: 'over' })
    expect(await world.deps.catalog.history(REF)).toHaveLength(1)
  })

  it('joins a run that is not over, and wakes nobody who was heard of', async () => {
    const world = await runWorld()
    await world.invoke(TAKE)
    world.woken.length = 0
    expect(await world.invoke({ ...TAKE, requestId: 'other' })).toMatchObject({ outcome: 'working', woken: 0 })
    // The same one again: nobody else would wake those that were never woken.
    expect(await world.invoke(TAKE)).toMatchObject({ woken: 2 })
  })
})

describe('a worker', () => {
  it('goes on after the last user of the one before it, and names no user in what it leaves', async () => {
    const world = await runWorld({ segments: 1 })
    world.patience = 1
    await world.invoke(TAKE)
    expect(world.woken).toMatchObject([{ segment: 0, turn: 1 }])
    const left = [...world.objects.objects].filter(([key]) => key.startsWith('snapshot-runs/'))
    expect(left.length).toBeGreaterThan(1)
    for (const [key, body] of left) expect(`${key} ${Buffer.from(body).toString()}`).not.toContain('user-0')
    await workAll(world)
    expect(await world.current()).toEqual(userNames(24))
    const { manifest } = await world.deps.catalog.load(REF)
    expect(saidOf(manifest).report).toMatchObject({ users: 24, segments: 1 })
    expect(saidOf(manifest).report?.pieces).toBeGreaterThan(2)
  })

  it('leaves the segment to who was faster, and nobody is lost or twice in the batch', async () => {
    const world = await runWorld({ segments: 1 })
    const { runs } = world.deps
    const faster = { snapshot: 'work', ...RUN, run: 1, segment: 0, turn: 0 } as const
    let isOvertaken = false
    const outcome = await world.invoke(TAKE, {
      bounds: { rowsMax: 9 },
      runs: {
        ...runs,
        createPiece: async (run, piece) => {
          // Between this one's look and its write the other one writes a smaller piece of the same number.
          world.patience = 1
          if (!isOvertaken) await world.invoke(faster, { bounds: { rowsMax: 1 } })
          isOvertaken = true
          return runs.createPiece(run, piece)
        },
      },
    })
    expect(outcome).toMatchObject({ outcome: 'working', woken: 0 })
    await workAll(world)
    expect(await world.current()).toEqual(userNames(24))
  })

  it('ends a chain of its own before Lambda does, and the next hour goes on', async () => {
    const world = await runWorld({ segments: 1, users: 120 })
    world.patience = 1
    await world.invoke(TAKE)
    let turns = 1
    for (let event = world.woken.shift(); event !== undefined; event = world.woken.shift()) {
      turns++
      await world.invoke(event, { bounds: { rowsMax: 1 } })
    }
    expect(turns).toBe(TURNS_MAX)
    expect(await world.current()).toBeUndefined()
    world.nowMs += WAKE_AFTER_MS
    world.patience = Number.POSITIVE_INFINITY
    expect(await world.invoke(TAKE_UP)).toMatchObject({ woken: 1 })
    await workAll(world)
    expect(await world.current()).toEqual(userNames(120))
  })

  it('stops where its run was given up, and nothing is committed', async () => {
    const world = await runWorld()
    await world.invoke(TAKE)
    const run = await readRun(world.deps, RUN)
    expect(await giveUp(world.deps, run, { who: 'ana', why: 'a bad night' })).toBe('given-up')
    const creates = world.objects.calls.create
    for (const event of world.woken) expect(await world.invoke(event)).toEqual({ outcome: 'over', why: 'a bad night' })
    expect(world.objects.calls.create).toBe(creates)
    expect(await world.current()).toBeUndefined()
  })

  it('of other definitions gives the run up and begins another one', async () => {
    const world = await runWorld()
    await world.invoke(TAKE)
    const other = features({ ordersEver: count(order) })
    const compiled = compilePipeline(pipeline({ name: 'shop', events: [order], features: other, models: [] }))
    const woken = world.woken.splice(0)
    for (const event of woken) await world.invoke(event, { compiled })
    while (world.woken.length > 0) await world.invoke(world.woken.shift() as SnapshotEvent, { compiled })
    expect(await world.deps.runs.end(RUN)).toMatchObject({ outcome: 'given-up', isAgain: true })
    expect(await world.current()).toEqual(userNames(24))
    const { manifest } = await world.deps.catalog.load(REF)
    expect(manifest.columns.map(({ name }) => name)).not.toContain('spend90d')
    expect(await world.deps.catalog.history(REF)).toHaveLength(1)
  })

  it('predicts by the versions that the run began with', async () => {
    const world = await runWorld()
    const versions: unknown[] = []
    const of = (batchId: string) => ({
      ...countingPredictor([]),
      models: [{ name: 'churn', batchId, manifest: { inputs: [], outputs: [] } as never }],
    })
    await world.invoke(TAKE, { pinned: async () => of('v1') })
    for (const event of world.woken) {
      await world.invoke(event, {
        pinned: async () => of('v2'),
        pinnedTo: async wanted => {
          versions.push(wanted)
          return of('v1')
        },
      })
    }
    expect(versions).toEqual([{ churn: 'v1' }, { churn: 'v1' }])
  })
})

describe('whoever is last', () => {
  it('may be several at once, and again much later: the batch is in the log once', async () => {
    const world = await runWorld()
    await world.invoke(TAKE)
    const [first, last] = world.woken.splice(0)
    await world.invoke(first as SnapshotEvent)
    const both = [world.invoke(last as SnapshotEvent), world.invoke(last as SnapshotEvent), world.invoke(TAKE)]
    const outcomes = (await Promise.allSettled(both)).map(({ status }) => status)
    expect(outcomes).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
    await Promise.all([first, last, first].map(event => world.invoke(event as SnapshotEvent)))
    expect(await world.deps.catalog.history(REF)).toHaveLength(1)

    const { compiled, users, catalog } = world.deps
    const later = { instantMs: INSTANT + HOUR_MS, who: 'ana', why: 'by hand' }
    const { entry } = await takeSnapshot({ compiled, users, catalog, predictor: countingPredictor([]) }, later)
    await world.invoke(first as SnapshotEvent)
    expect((await catalog.current(REF))?.batchId).toBe(entry.batchId)
    expect(await catalog.history(REF)).toHaveLength(2)
  })
})

describe('a run that comes late', () => {
  it('does not become current over a batch of a later instant of its day', async () => {
    const world = await runWorld()
    await world.invoke(TAKE)
    const { compiled, users, catalog } = world.deps
    const later = { instantMs: INSTANT + HOUR_MS, who: 'ana', why: 'by hand' }
    const { entry } = await takeSnapshot({ compiled, users, catalog, predictor: countingPredictor([]) }, later)
    await workAll(world)
    expect(await world.deps.runs.end(RUN)).toMatchObject({ outcome: 'given-up' })
    expect((await catalog.history(REF)).map(({ batchId }) => batchId)).toEqual([entry.batchId])
    expect(await world.invoke({ ...TAKE, requestId: 'again' })).toMatchObject({ outcome: 'over' })
  })

  it('is given up by the next look where it is of another day’s users', async () => {
    const world = await runWorld()
    await world.invoke(TAKE)
    world.nowMs += RUN_MS_MAX + 1
    expect(await world.invoke(TAKE_UP)).toMatchObject({ outcome: 'over' })
    expect(await world.deps.runs.end(RUN)).toMatchObject({ outcome: 'given-up', why: 'it was not over in time' })
  })
})

describe('what does not add up', () => {
  it.each([
    ['rows that were not counted', (piece: Piece) => ({ ...piece, counts: withUsers(piece, 1) })],
    [
      'a part that comes twice',
      (piece: Piece) => ({
        ...piece,
        parts: [...piece.parts, ...piece.parts],
        counts: withUsers(piece, 2 * piece.counts.facts.users),
      }),
    ],
  ])('is not committed: %s', async (_, change) => {
    const world = await runWorld()
    const errors: string[] = []
    await world.invoke(TAKE)
    const [key, body] = [...world.objects.objects].find(([name]) => name.includes('/pieces/')) ?? ['', new Uint8Array()]
    const piece = JSON.parse(Buffer.from(body).toString()) as Piece
    world.objects.objects.set(key, Buffer.from(JSON.stringify(change(piece))))
    for (const event of world.woken) {
      await world.invoke(event).catch((error: unknown) => errors.push((error as { code: string }).code))
    }
    expect(errors.at(-1)).toBe('snapshot-incomplete')
    expect(await world.current()).toBeUndefined()
  })

  it('is not committed: far fewer items than DynamoDB counts', async () => {
    const world = await runWorld({ segments: 1 })
    const take = world.invoke(TAKE, { tableItems: async () => 49 })
    await expect(take).rejects.toMatchObject({ code: 'snapshot-short' })
    const other = await runWorld({ segments: 1 })
    expect(await other.invoke(TAKE, { tableItems: async () => 48 })).toMatchObject({ outcome: 'committed' })
  })
})

interface Piece {
  readonly parts: readonly object[]
  readonly counts: { readonly facts: { readonly users: number } }
}

function withUsers({ counts }: Piece, users: number): object {
  return { ...counts, facts: { ...counts.facts, users } }
}
