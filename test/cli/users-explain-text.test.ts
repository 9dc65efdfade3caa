// What a person reads, whole: who changes a word of it sees here how it reads now.
import { expect, it } from 'vitest'
import { describeExplanation } from '../../src/cli/users-explain-text.ts'
import { explanationJson } from '../../src/cli/users-explain-json.ts'
import { titledTable } from '../../src/cli/explain-words.ts'
import { explain, fewOrders, hour, papersOf } from '../replay/explain-world.ts'

it('an explanation of now', async () => {
  const lines = describeExplanation(await explain(await fewOrders()))
  expect(lines.slice(0, 14).join('\n')).toMatchInlineSnapshot(`
    "ana at 2024-02-26T17:00:00Z
    Known by then: 5 events, the first of 2024-02-25T01:00:00Z, the newest of 2024-02-26T16:00:00Z.

      FEATURE      VALUE  EVENTS  FIRST EVENT           LAST EVENT            SUM  DEFINITION
      orders10m    0      0                                                        count(order.placed) within 10m
      orders2h     1      1       2024-02-26T16:00:00Z  2024-02-26T16:00:00Z       count(order.placed) within 2h
      orders1d     2      2       2024-02-26T01:00:00Z  2024-02-26T16:00:00Z       count(order.placed) within 1d
      orders7d     5      5       2024-02-25T01:00:00Z  2024-02-26T16:00:00Z       count(order.placed) within 7d
      orders30d    5      5       2024-02-25T01:00:00Z  2024-02-26T16:00:00Z       count(order.placed) within 30d
      ordersEver   5      5       2024-02-25T01:00:00Z  2024-02-26T16:00:00Z       count(order.placed)
      spend90d     150    5       2024-02-25T01:00:00Z  2024-02-26T16:00:00Z  150  sum(order.placed, amount) within 90d
      spend3h      50     1       2024-02-26T16:00:00Z  2024-02-26T16:00:00Z  50   sum(order.placed, amount) within 3h
      points7d     0      0                                                        sum(order.placed, points) within 7d
      meanPoints   null   0                                                        mean(order.placed, points) within 30d"
  `)
  expect(lines.slice(23).join('\n')).toMatchInlineSnapshot(`
    "Windows begin at a whole minute, 5 minutes, hour or day, UTC, by their length; a recency is in seconds.

    If no event comes, these change next, at 2024-02-26T18:00:00Z:
      sinceOrder  3600 → 7200

    Model churn: orders 6.5, by version b2, in production since 2024-02-26T12:00:00Z (ana: trained).

    Stored: version 5 as of 2024-02-26T16:00:00Z, exact until 2024-02-26T16:11:00Z, which is over, so a GET evaluates it anew.
      Its features are what history says, at that instant and evaluated for now.
      Its prediction of churn is what the model says of them: orders 5.
        It was made by version b1; b2 serves now."
  `)
})

it('an explanation of now, where another version stands in for the one in production', async () => {
  const world = await fewOrders()
  const lines = describeExplanation(await explain(world, { papersAt: papersOf({ b1: true, b2: false }) }))
  expect(lines.slice(28).join('\n')).toMatchInlineSnapshot(`
    "Model churn: orders 5, by version b1, which stands in for b2, in production since 2024-02-26T12:00:00Z (ana: trained): b2 is not ready, as orders30d was defined otherwise when it was trained; spend90d was defined otherwise when it was trained; sinceOrder was defined otherwise when it was trained.

    Stored: version 5 as of 2024-02-26T16:00:00Z, exact until 2024-02-26T16:11:00Z, which is over, so a GET evaluates it anew.
      Its features are what history says, at that instant and evaluated for now.
      Its prediction of churn is what the model says of them: orders 5.
        It was made by version b1, as b2, which is in production, is not ready: orders30d was defined otherwise when it was trained; spend90d was defined otherwise when it was trained; sinceOrder was defined otherwise when it was trained."
  `)
  const fresh = describeExplanation(await explain(world, { nowMs: hour(40) + 120_000 }))
  expect(fresh.find(line => line.startsWith('Stored'))).toContain(
    'but by other versions of models than serve now, so a GET evaluates it anew',
  )
})

it('what moved', async () => {
  const lines = describeExplanation(await explain(await fewOrders(), { atMs: hour(41), sinceMs: hour(4) }))
  expect(lines.slice(lines.findIndex(line => line.startsWith('What moved'))).join('\n')).toMatchInlineSnapshot(`
    "What moved from 2024-02-25T04:00:00Z to 2024-02-26T17:00:00Z: 2 events came.

      FEATURE     BEFORE → AFTER  WHY
      orders2h    2 → 1           2 events → 1; 1 came, 2 left the window
      orders1d    3 → 2           3 events → 2; 2 came, 3 left the window
      orders7d    3 → 5           3 events → 5; 2 came
      orders30d   3 → 5           3 events → 5; 2 came
      ordersEver  3 → 5           3 events → 5; 2 came
      spend90d    60 → 150        3 events → 5; 2 came
      spend3h     60 → 50         3 events → 1; 1 came, 3 left the window
      dearest     30 → 50         3 events → 5; 2 came
      cheapest1d  10 → 40         3 events → 2; 2 came, 3 left the window

    Model churn: orders 3 → 6.5, from version b1 to b2.
    The other version alone makes of the features before: orders 3.6.
    What each input that moved did to it, over many orders in which they could have moved:
      INPUT      BEFORE → AFTER  orders
      orders30d  3 → 5           +2.0000
      spend90d   60 → 150        +0.9000
      in all                     +2.9000"
  `)
})

it('as data, it is JSON with the events behind each move', async () => {
  const json = explanationJson(await explain(await fewOrders(), { atMs: hour(41), sinceMs: hour(4) }))
  const { features, since, next } = JSON.parse(JSON.stringify(json)) as {
    features: readonly object[]
    since: { moves: readonly object[] }
    next: object
  }
  expect(json['models']).toMatchObject([{ version: 'b2', standIn: null }])
  const other = explanationJson(await explain(await fewOrders(), { papersAt: papersOf({ b1: true, b2: false }) }))
  expect(JSON.parse(JSON.stringify(other))).toMatchObject({
    models: [{ version: 'b2', standIn: { version: 'b1', why: expect.stringContaining('was defined otherwise') } }],
    stored: { item: { predictions: [{ name: 'churn', version: 'stand-in' }] } },
  })
  expect(features).toHaveLength(19)
  expect(next).toMatchObject({ atMs: expect.any(Number) })
  expect(since.moves).toContainEqual(
    expect.objectContaining({
      name: 'orders1d',
      from: 3,
      to: 2,
      parts: [
        expect.objectContaining({
          before: 3,
          after: 2,
          came: [{ type: 'order.placed', id: '3', timeMs: hour(25) }, expect.anything()],
        }),
      ],
    }),
  )
})

it('a table leaves out columns that have nothing in them', () => {
  expect(
    titledTable(
      ['A', 'B', 'C'],
      [
        ['1', '', 'x'],
        ['22', '', ''],
      ],
    ),
  ).toEqual(['  A   C', '  1   x', '  22'])
})
