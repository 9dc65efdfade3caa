// What the features say of one customer, from events as the shop sends them: no cloud, nothing stored.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const orders = [
  {
    type: 'order.placed',
    orderId: 'a1',
    customer: { id: 'c1' },
    placedAt: '2026-03-01T09:00:00Z',
    amount: 20,
    item: 'cup',
    channel: 'web',
  },
  {
    type: 'order.placed',
    orderId: 'a2',
    customer: { id: 'c1' },
    placedAt: '2026-03-02T10:30:00Z',
    amount: 120.5,
    item: 'pot',
    channel: 'app',
    gift: true,
  },
  {
    type: 'order.placed',
    orderId: 'a2',
    customer: { id: 'c1' },
    placedAt: '2026-03-02T10:30:00Z',
    amount: 120.5,
    item: 'pot',
    channel: 'app',
    gift: true,
  },
  {
    type: 'order.placed',
    orderId: 'a3',
    customer: { id: 'c2' },
    placedAt: '2026-03-02T11:00:00Z',
    amount: 5,
    item: 'tea',
    channel: 'web',
  },
]

test('a repeated order counts once, and other customers do not count', () => {
  expect(features('c1', '2026-03-02T12:45:00Z')).toEqual({
    orders30d: 2,
    spend90d: 140.5,
    bigApp7d: 1,
    giftShare: 0.5,
    sinceOrder: 2 * 60 * 60,
  })
})

test('a month without orders leaves nothing of the last 30 days, with no event to say so', () => {
  expect(features('c1', '2026-04-15T00:00:00Z')).toMatchObject({ orders30d: 0, spend90d: 140.5, giftShare: null })
})

/** The customer's features at an instant, by the command `millrace features preview`. */
function features(user: string, at: string): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'orders-'))
  try {
    const events = join(folder, 'orders.ndjson')
    writeFileSync(events, orders.map(order => JSON.stringify(order)).join('\n'))
    const words = ['features', 'preview', '--user', user, '--events', events, '--at', at, '--json']
    return JSON.parse(execFileSync('millrace', words, { encoding: 'utf8' })).values
  } finally {
    rmSync(folder, { recursive: true })
  }
}
