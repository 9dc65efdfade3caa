// What the batch of a training set says, and that its bytes follow from what it was made of alone.
import { describe, expect, it } from 'vitest'
import type { Column, Row } from '../../src/catalog/columns.ts'
import { userBucket } from '../../src/platform/hash.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { recordKey } from '../../src/replay/counted-events.ts'
import type { Label } from '../../src/replay/training-labels.ts'
import { trainingTable } from '../../src/replay/training-set.ts'
import { memoryHistory } from '../fakes/memory-history.ts'
import { START } from '../features/factories.ts'
import { orderRecord, rawRecord, shop } from '../recompute/harness.ts'
import { featuresOf, trainingSet } from './training-world.ts'

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000]
const compiled = compilePipeline(shop)

/** Twelve users, an order an hour, some minutes on its way. */
const records = Array.from({ length: 300 }, (_, index) => {
  const ts = START + index * HOUR
  const record = orderRecord(index, index + 1, { user: `u${index % 12}`, ts, amount: index })
  return { ...record, arrivalMs: ts + (index % 4) * MINUTE }
})
const history = memoryHistory(records)

const CARRIED: readonly Column[] = [
  { name: 'label', type: 'boolean' },
  { name: 'weight', type: 'double' },
  { name: 'big', type: 'int64' },
]
const labels: readonly Label[] = Array.from({ length: 200 }, (_, index) => ({
  userId: `u${(index * 7) % 15}`,
  time: START + ((index * 37) % 300) * HOUR + index,
  values: [index % 2 === 0, index / 3, 9_007_199_254_740_993n + BigInt(index)],
}))

describe('the batch of a training set', () => {
  it('carries the labels, with the place of each and features of their types', async () => {
    const { rows, report } = await trainingSet(labels, { compiled, history }, CARRIED)
    expect(rows.map(row => row['label_row'])).toEqual(labels.map((_, index) => index))
    for (const [index, { userId, time, values }] of labels.entries()) {
      const [label, weight, big] = values
      expect(rows[index]).toMatchObject({ user_id: userId, time, label, weight, big })
    }
    expect(report.columns.slice(0, 6).map(({ name }) => name)).toEqual([
      'user_id',
      'time',
      'label_row',
      'label',
      'weight',
      'big',
    ])
    expect(report.ref).toEqual({ db: 'shop', table: 'training_default', partition: 'all' })
  })

  it('is in the order of bucket, user and time, and the same bytes when it is made again', async () => {
    const [first, second] = [
      await trainingSet(labels, { compiled, history }, CARRIED),
      await trainingSet(labels, { compiled, history, openedMs: START + 9000 * DAY, who: 'ben' }, CARRIED),
    ]
    expect(second.parts).toEqual(first.parts)
    expect(first.parts).toHaveLength(1)
    const place = ({ user_id, time }: Row): [number, string, number] => {
      const user = typeof user_id === 'string' ? user_id : ''
      return [userBucket(user), user, Number(time)]
    }
    const places = first.inStoredOrder.map(place)
    expect(places).toEqual(places.toSorted((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : a[2] - b[2])))
  })

  it('is the same whatever fits into memory', async () => {
    const { rows, parts, report } = await trainingSet(labels, { compiled, history }, CARRIED)
    for (const limits of [{ runBytesMax: 1 }, { runBytesMax: 900 }, { usersHeldMax: 0 }]) {
      const small = await trainingSet(labels, { compiled, history, ...limits }, CARRIED)
      expect(small.parts).toEqual(parts)
      expect(small.rows).toEqual(rows)
      expect(small.report.labelsSha256).toBe(report.labelsSha256)
      expect(small.report).toMatchObject({ users: 15, usersWithoutEvents: 3, notArrived: report.notArrived })
    }
  })

  it('has the same rows and the same hash of its labels whatever their order', async () => {
    const { rows, report } = await trainingSet(labels, { compiled, history }, CARRIED)
    const turned = await trainingSet(labels.toReversed(), { compiled, history }, CARRIED)
    expect(turned.rows.toReversed().map(row => ({ ...row, label_row: 0 }))).toEqual(
      rows.map(row => ({ ...row, label_row: 0 })),
    )
    expect(turned.report.labelsSha256).toBe(report.labelsSha256)
    const other = await trainingSet(labels.slice(1), { compiled, history }, CARRIED)
    expect(other.report.labelsSha256).not.toBe(report.labelsSha256)
  })

  it('names what it was made of: inputs, what was known, fingerprints, labels, positions, counts', async () => {
    const imported = memoryHistory(records, [{ batchId: '20240101000000-7h3k9c2m', payload: {}, userId: 'u1' }])
    const { properties, report } = await trainingSet(labels, { compiled, history: imported, known: 'all' }, CARRIED)
    expect(properties).toEqual({
      known: 'all',
      labels: { sha256: report.labelsSha256, rows: 200 },
      features: Object.fromEntries(compiled.features.features.map(({ name, fingerprint }) => [name, fingerprint])),
      definitions: compiled.definitions,
      positions: { 'events@1/shardId-000000000000': '300' },
      counts: {
        rows: 200,
        users: 15,
        usersWithoutEvents: 3,
        events: 300,
        notArrived: 0,
        duplicates: 0,
        refused: 0,
        openLetters: 0,
        rowsNotSettled: 0,
      },
    })
  })

  it('has some features only, of the same values and fingerprints, and refuses what is none', async () => {
    const all = await trainingSet(labels, { compiled, history }, CARRIED)
    const features = ['spend90d', 'giftShare']
    const some = await trainingSet(labels, { compiled, history, features }, CARRIED)
    expect(some.report.columns.slice(6).map(({ name }) => name)).toEqual(features)
    expect(some.rows.map(row => featuresOf(row, features))).toEqual(all.rows.map(row => featuresOf(row, features)))
    expect(all.report.features).toMatchObject(some.report.features)
    await expect(trainingSet(labels, { compiled, history, features: ['spent'] })).rejects.toMatchObject({
      code: 'feature-unknown',
    })
  })
})

describe('labels of one user and time', () => {
  const same = [3, 1, 2, 1].map(value => ({ userId: 'u1', time: START + 10 * DAY, values: [value] }))
  const column: readonly Column[] = [{ name: 'value', type: 'int64' }]

  it('lie by their values, and are hashed so, whatever their order', async () => {
    const [made, turned] = [
      await trainingSet(same, { compiled, history }, column),
      await trainingSet(same.toReversed(), { compiled, history }, column),
    ]
    const placed = ({ inStoredOrder }: typeof made) => inStoredOrder.map(({ value, label_row: row }) => [value, row])
    expect(placed(made)).toEqual([
      [1, 1],
      [1, 3],
      [2, 2],
      [3, 0],
    ])
    expect(placed(turned).map(([value]) => value)).toEqual([1, 1, 2, 3])
    expect(turned.report.labelsSha256).toBe(made.report.labelsSha256)
  })
})

describe('events', () => {
  const T = START + 10 * DAY

  it('of two users are two, though they have one id', async () => {
    const first = 'u1'
    const second = Array.from({ length: 999 }, (_, index) => `v${index}`).find(
      user => userBucket(user) === userBucket(first),
    )
    const users = [first, second ?? '']
    const both = users.map((user, index) => orderRecord('same', index + 1, { user, ts: T - DAY }))
    const labelled = users.map(userId => ({ userId, time: T, values: [] }))
    const { rows, report } = await trainingSet(labelled, { compiled, history: memoryHistory(both) })
    expect(rows.map(row => row['ordersEver'])).toEqual([1, 1])
    expect(report).toMatchObject({ events: 2, duplicates: 0 })
  })

  it('that could not be decoded when they came are counted in the bucket of their user alone', async () => {
    const payload = Buffer.from(orderRecord('1', 1, { user: 'u1', ts: T - DAY }).dataBase64, 'base64')
    const anywhere = memoryHistory([], [{ batchId: '20250101000000-7h3k9c2m', payload }])
    const labelled = Array.from({ length: 15 }, (_, index) => ({ userId: `u${index}`, time: T, values: [] }))
    for (const usersHeldMax of [0, 100]) {
      const { rows, report } = await trainingSet(labelled, { compiled, history: anywhere, usersHeldMax })
      expect(report).toMatchObject({ events: 1, usersWithoutEvents: 14 })
      expect(rows.map(row => row['ordersEver'])).toEqual(labelled.map(({ userId }) => (userId === 'u1' ? 1 : 0)))
    }
  })

  it('of a clock that is ahead are looked at from their own time, as in a GET', async () => {
    const ahead = { ...orderRecord('ahead', 1, { ts: T + 4 * MINUTE }), arrivalMs: T }
    const { rows } = await trainingSet([{ userId: 'ana', time: T + 1, values: [] }], {
      compiled,
      history: memoryHistory([ahead]),
    })
    expect(rows[0]).toMatchObject({ sinceOrder: 0, orders10m: 1 })
  })
})

describe('what is known', () => {
  const T = START + 10 * DAY
  const late = { ...orderRecord('late', 2, { ts: T - DAY, amount: 5 }), arrivalMs: T + 1 }
  const early = { ...orderRecord('early', 1, { ts: T - 2 * DAY, amount: 7 }), arrivalMs: T - 2 * DAY }
  const label = { userId: 'ana', time: T + 1, values: [] }
  const made = (options: object) =>
    trainingSet([label], { compiled, history: memoryHistory([early, late]), features: ['spend90d'], ...options })

  it('differs between arrival and all by late arrivals alone, which are counted', async () => {
    const [arrival, all] = [await made({ known: 'arrival' }), await made({ known: 'all' })]
    expect(arrival.rows[0]).toMatchObject({ spend90d: 7 })
    expect(all.rows[0]).toMatchObject({ spend90d: 12 })
    expect([arrival.report.notArrived, all.report.notArrived]).toEqual([1, 0])
    const { rows } = await made({ known: 'arrival', history: memoryHistory([early, { ...late, arrivalMs: T }]) })
    expect(rows[0]).toMatchObject({ spend90d: 12 })
    for (const [ts, notArrived] of [
      [T, 1],
      [T + 1, 0],
    ] as const) {
      const { report } = await made({ history: memoryHistory([{ ...orderRecord(1, 1, { ts }), arrivalMs: T + 1 }]) })
      expect(report.notArrived).toBe(notArrived)
    }
  })

  it('is an import from event time and lateness on, and of two events with one id the one that arrived first', async () => {
    const payload = Buffer.from(late.dataBase64, 'base64')
    const imports = [{ batchId: '20250101000000-7h3k9c2m', payload, userId: 'ana' }]
    const spend = async (time: number, records = [early]) => {
      const set = await trainingSet([{ ...label, time }], { compiled, history: memoryHistory(records, imports) })
      return set.rows[0]?.['spend90d']
    }
    const known = T - DAY + 6 * HOUR
    expect(await spend(known)).toBe(7)
    expect(await spend(known + 1)).toBe(12)
    const corrected = { ...orderRecord('late', 3, { ts: T - DAY, amount: 100 }), arrivalMs: known - 1 }
    expect(await spend(known + 1, [early, corrected])).toBe(107)
  })

  it('is nothing of a record with an open dead letter, nor of one that no contract takes', async () => {
    const broken = rawRecord({ type: 'order.placed' }, 3, 'ana', T - DAY)
    const { rows, report } = await made({
      history: memoryHistory([early, late, broken]),
      openLetters: new Set([recordKey(early)]),
    })
    expect(rows[0]).toMatchObject({ spend90d: 0 })
    expect(report).toMatchObject({ openLetters: 1, refused: 1, usersWithoutEvents: 0, rowsNotSettled: 0 })
  })

  it('may not be all yet minutes after the event: such rows are counted', async () => {
    const rowsNotSettled = async (openedMs: number) => (await made({ openedMs })).report.rowsNotSettled
    expect(await rowsNotSettled(T + 10 * MINUTE)).toBe(1)
    expect(await rowsNotSettled(T + 10 * MINUTE + 1)).toBe(0)
  })
})

describe('a name', () => {
  it('is part of the table, or refused with what it may be', () => {
    expect(trainingTable('churn-2')).toBe('training_churn-2')
    for (const name of ['', 'Churn', 'a b', '-a', 'x'.repeat(56), 'a/b']) {
      expect(() => trainingTable(name), name).toThrow(expect.objectContaining({ code: 'training-set-name-invalid' }))
    }
  })

  it('needs labels', async () => {
    await expect(trainingSet([], { compiled, history })).rejects.toMatchObject({ code: 'labels-empty' })
  })
})
