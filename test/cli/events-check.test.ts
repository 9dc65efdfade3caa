// The command as a person or CI calls it: a folder with a pipeline and files, the real decoder.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, pipelineFolder } from './shop-world.ts'

const PIPELINE = `
import { choice, count, event, features, number, pipeline } from 'millrace'
const order = event('order.placed', {
  id: 'orderId', user: 'customer', time: 'placedAt', lateness: '6h',
  fields: { amount: number({ scale: 2 }), channel: choice('web', 'app') },
})
export default pipeline({ name: 'shop', events: [order], features: features({ orders: count(order) }), models: [] })
`
const SECRET = 'hunter2'
const GOOD = {
  type: 'order.placed',
  orderId: 1,
  customer: 'ana',
  placedAt: '2026-03-01T12:00:00Z',
  amount: 1,
  channel: 'web',
}
const LINES = [
  GOOD,
  { ...GOOD, channel: SECRET },
  { ...GOOD, amount: SECRET },
  { ...GOOD, channel: 'fax' },
  { ...GOOD, orderId: {} },
  { ...GOOD, customer: `${SECRET}#` },
  { ...GOOD, amount: null, channel: 'fax' },
  { type: SECRET },
].map(event => JSON.stringify(event))
const TEXT = `${LINES.join('\n')}\n\n{"type":"order.placed","${SECRET}`

let folder = ''

beforeAll(async () => {
  folder = await pipelineFolder('events-check-', PIPELINE)
  await writeFile(join(folder, 'events.ndjson'), TEXT)
  await writeFile(join(folder, 'events.ndjson.gz'), gzipSync(TEXT))
  await writeFile(join(folder, 'events.json'), `[${LINES.join(',')}]`)
  await writeFile(join(folder, 'good.ndjson'), `${LINES[0]}\n`.repeat(3))
  await writeFile(join(folder, 'rare.ndjson'), `${`${LINES[0]}\n`.repeat(99)}${LINES[1]}\n`)
  await writeFile(join(folder, 'empty.ndjson'), '\n\n')
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const check = (...words: string[]) => call(['events', 'check', ...words], { cwd: folder, env: {} })

describe('millrace events check', () => {
  it.each(['events.ndjson', 'events.ndjson.gz'])(
    'counts by reason and field what would be refused of %s',
    async file => {
      const { exitCode, stdout, stderr } = await check(file, '--json')
      expect(exitCode).toBe(1)
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'events-refused' } })
      expect(JSON.parse(stdout)).toMatchObject({
        events: 9,
        accepted: 1,
        refused: 8,
        refusedShare: 8 / 9,
        reasons: [
          {
            reason: 'contract',
            count: 5,
            first: 2,
            places: [
              { type: 'order.placed', field: 'amount', count: 2, first: 3 },
              { type: 'order.placed', field: 'channel', count: 2, first: 2 },
              { type: 'order.placed', field: null, count: 1, first: 5 },
            ],
          },
          { reason: 'unknown-type', count: 1, first: 8, places: [] },
          { reason: 'not-json', count: 1, first: 10, places: [] },
          { reason: 'user-id-invalid', count: 1, first: 6 },
        ],
      })
    },
  )

  it('says the same to people', async () => {
    const { stdout, stderr } = await check('events.ndjson')
    expect(stdout).toContain('9 events: 1 accepted, 8 refused (89%)\n\ncontract: 5, first at line 2\n')
    expect(stdout).toContain(
      '  order.placed amount: 2, first at line 3\n    order.placed: the field amount at "amount" is not a number.\n',
    )
    expect(stderr).toContain('8 of 9 events would be refused (89%)')
  })

  it('counts positions of a JSON array', async () => {
    expect(JSON.parse((await check('events.json', '--json')).stdout)).toMatchObject({ events: 8, refused: 7 })
  })

  it('prints no value of a payload', async () => {
    for (const words of [['events.ndjson'], ['events.ndjson', '--json']]) {
      const { stdout, stderr } = await check(...words)
      expect(stdout + stderr).not.toContain(SECRET)
    }
  })

  it('is content where nothing is refused, or no more than allowed', async () => {
    expect(await check('good.ndjson')).toEqual({
      exitCode: 0,
      stdout: '3 events: 3 accepted, 0 refused\n',
      stderr: '',
    })
    const allowed = async (share: string) => (await check('rare.ndjson', '--allow-refused', share)).exitCode
    expect([await allowed('0.01'), await allowed('0.009'), await allowed('0'), await allowed('1')]).toEqual([
      0, 1, 1, 0,
    ])
  })

  it.each(['1.5', '-1', '1%', 'x', ''])('refuses %j as a share', async share => {
    expect((await check('good.ndjson', `--allow-refused=${share}`)).exitCode).toBe(2)
  })

  it('does not call a file without events good', async () => {
    const { exitCode, stderr } = await check('empty.ndjson')
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('has no event')])
  })
})
