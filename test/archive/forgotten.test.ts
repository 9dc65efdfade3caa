// What readers of history make of a tombstone, wherever something of the user lies still, or again.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readArchivedHours } from '../../src/archive/archived-hours.ts'
import { forgottenName, forgottenPrefix, HMAC_KEY_OBJECT, readForgotten } from '../../src/archive/forgotten.ts'
import { listLetters } from '../../src/archive/letters.ts'
import { packLines, plainLines } from '../../src/archive/line-file.ts'
import { forgottenLine, recordLine } from '../../src/archive/raw-object.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { ArchiveTail } from '../../src/replay/backfill-tail.ts'
import { SPILL_KEY_OBJECT } from '../../src/store/spill-store.ts'
import { collect, NOON_MS, recordAt, recordsAt } from './factories.ts'
import { HOUR_MS, type HistoryWorld, historyWorld } from './history-world.ts'

const KEY = 'ef'.repeat(32)
const USER = recordAt(3).partitionKey
/** The third record arrived before it, and the one of the same user that is beyond did not. */
const UNTIL_MS = NOON_MS + 10_000
const later = recordAt(20, { partitionKey: USER })

let world: HistoryWorld

beforeEach(async () => {
  world = historyWorld()
  await world.archive.create(HMAC_KEY_OBJECT, Buffer.from(JSON.stringify({ key: KEY })))
  await world.put([...recordsAt(0, 6), later])
})

afterEach(() => world.remove())

async function entomb(untilMs = UNTIL_MS): Promise<void> {
  await world.archive.create(forgottenPrefix(USER, KEY) + forgottenName(untilMs), Buffer.from('{}'))
}

async function arrivals(): Promise<readonly number[]> {
  const history = await world.open()
  const all: number[] = []
  for (let bucket = 0; bucket < 64; bucket++) {
    for await (const record of history.bucket(bucket)) {
      if (record.kind === 'stream' && record.record.partitionKey === USER) all.push(record.record.arrivalMs)
    }
  }
  await history.close()
  return all.sort((a, b) => a - b)
}

describe('a tombstone', () => {
  it('has the key that large predictions are named with', () => {
    expect(HMAC_KEY_OBJECT).toBe(SPILL_KEY_OBJECT)
  })

  it('names nobody, and is of one user until one instant', async () => {
    expect((await readForgotten(world.archive)).isAny).toBe(false)
    await entomb()
    const forgotten = await readForgotten(world.archive)
    expect([UNTIL_MS, UNTIL_MS + 1].map(ms => forgotten.has(USER, ms))).toEqual([true, false])
    expect(forgotten.has('somebody else', 0)).toBe(false)
    expect([...world.archive.objects.keys()].join()).not.toContain(USER)
  })

  it('counts by the latest of several, whatever notes lie beside them', async () => {
    await entomb(UNTIL_MS + 5)
    await entomb(5)
    const note = forgottenPrefix(USER, KEY) + forgottenName(UNTIL_MS + 900, 'final')
    await world.archive.create(note, Buffer.from('{}'))
    const forgotten = await readForgotten(world.archive)
    expect([UNTIL_MS + 5, UNTIL_MS + 6].map(ms => forgotten.has(USER, ms))).toEqual([true, false])
  })

  it('is of no use without the key, which is said', async () => {
    await entomb()
    world.archive.objects.delete(HMAC_KEY_OBJECT)
    await expect(readForgotten(world.archive)).rejects.toMatchObject({ code: 'archive-object-invalid' })
  })
})

describe('readers of history', () => {
  it('skip what arrived until then, raw or compacted, and have what arrived later', async () => {
    expect(await arrivals()).toEqual([recordAt(3).arrivalMs, later.arrivalMs])
    await entomb()
    expect(await arrivals()).toEqual([later.arrivalMs])
    const read = await collect(readArchivedHours(world, NOON_MS, NOON_MS + HOUR_MS))
    expect(read.map(({ sequence }) => sequence)).not.toContain(recordAt(3).sequence)
    expect(read).toHaveLength(6)
  })

  it('leave it out of a compaction, of raw objects and of the batch before alike', async () => {
    world.time.nowMs += 3 * HOUR_MS
    await world.compact()
    await entomb()
    expect(await arrivals()).toEqual([later.arrivalMs])
    await world.put([recordAt(27, { partitionKey: USER, arrivalMs: NOON_MS + 7000 }), recordAt(28)])
    world.time.nowMs += HOUR_MS
    const { hours } = await world.compact()
    expect(hours.map(({ records }) => records)).toEqual([7])
    expect(await arrivals()).toEqual([later.arrivalMs])
  })

  it('skip it in what is archived while they run', async () => {
    await entomb()
    const spoolDir = mkdtempSync(join(world.spoolDir, 'tail-'))
    const tail = new ArchiveTail({ archive: world.archive, positions: new Map(), spoolDir })
    const told: string[] = []
    await tail.advance(({ sequence }) => told.push(sequence))
    expect(told).toHaveLength(6)
    expect(told).not.toContain(recordAt(3).sequence)
    expect([...tail.positions.values()]).toEqual([later.sequence])
    tail.remove()
    rmSync(spoolDir, { recursive: true })
  })

  it('skip its dead letters', async () => {
    const refusal = { reason: 'not-json', detail: 'no' } as const
    await writeDeadLetters(
      world.archive,
      [recordAt(3), recordAt(4)].map(record => ({ record, refusal })),
    )
    await entomb()
    expect((await collect(listLetters(world.archive))).map(({ sequence }) => sequence)).toEqual([recordAt(4).sequence])
  })

  it('skip the place of a record that is all that is left of it', async () => {
    const [first, other] = [recordAt(30), recordAt(31)]
    const before = (await world.open()).positions
    await world.put([first, other])
    const key = [...world.archive.objects.keys()].find(name => name.includes(first.sequence)) ?? ''
    world.archive.objects.set(key, packLines(plainLines([forgottenLine(recordLine(first)), recordLine(other)])))
    const history = await world.open()
    expect([...history.positions.values()]).toEqual([other.sequence])
    expect([...before.values()]).toEqual([later.sequence])
    const sequences: string[] = []
    for (let bucket = 0; bucket < 64; bucket++) {
      for await (const each of history.bucket(bucket)) if (each.kind === 'stream') sequences.push(each.record.sequence)
    }
    expect(sequences).toContain(other.sequence)
    expect(sequences).not.toContain(first.sequence)
    await history.close()
  })
})
