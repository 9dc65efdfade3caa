// The two commands as a person calls them: a folder with a pipeline and files, the real decoder and fold, nothing else.
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { parquetWriteFile } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, pipelineFolder } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, flag, last, model, number, pipeline, ratio, sum, text } from 'millrace'
const order = event('order.placed', {
  id: 'orderId', user: 'customer.id', time: 'placedAt', lateness: '6h',
  fields: { amount: number({ scale: 2 }), item: text(), gift: flag() },
})
const customer = features({
  orders7d: count(order, { within: '7d' }),
  spend7d: sum(order, 'amount', { within: '7d' }),
  giftShare: ratio(count(order, { where: { gift: true } }), count(order)),
  lastItem: last(order, 'item'),
  lastGift: last(order, 'gift'),
})
export default pipeline({ name: 'shop', events: [order], features: customer, models: [
  model('gift', { from: customer, inputs: ['spend7d', 'giftShare', 'lastGift'], owner: 'ana' }),
] })
`

const order = (orderId: string, id: string, placedAt: string, amount: number, gift = false) =>
  JSON.stringify({ type: 'order.placed', orderId, customer: { id }, placedAt, amount, item: `item ${orderId}`, gift })

const LINES = [
  order('3', 'ana', '2026-03-03T12:00:00Z', 30.25, true),
  order('1', 'ana', '2026-03-01T12:00:00Z', 10.5),
  order('1', 'ana', '2026-03-01T12:00:00Z', 10.5),
  '{"type":"order.placed"',
  '',
  order('2', 'ben', '2026-03-02T12:00:00Z', 20),
  order('4', 'ana', '2026-03-04T12:00:00', 40),
]

let folder = ''

beforeAll(async () => {
  folder = await pipelineFolder('features-commands-', PIPELINE)
  await writeFile(join(folder, 'events.ndjson'), LINES.join('\n'))
  await writeFile(join(folder, 'events.ndjson.gz'), gzipSync(LINES.join('\r\n')))
  await writeFile(join(folder, 'events.json'), `[${[0, 1, 5].map(index => LINES[index]).join(',')}]`)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const millrace = (...words: string[]) => call(words, { cwd: folder, env: {} })

describe('millrace features preview', () => {
  it.each(['events.ndjson', 'events.ndjson.gz'])(
    "shows a user's features, and the lines that were refused, of %s",
    async file => {
      const { exitCode, stdout } = await millrace('features', 'preview', '--user', 'ana', '--events', file, '--json')
      expect(exitCode).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({
        user: 'ana',
        asOf: Date.parse('2026-03-03T12:00:00Z'),
        freshUntil: Date.parse('2026-03-08T13:00:00Z'),
        values: { orders7d: 2, spend7d: 40.75, giftShare: 0.5, lastItem: 'item 3', lastGift: true },
        events: {
          folded: 2,
          duplicates: 1,
          ofOtherUsers: 1,
          refused: 2,
          refusedLines: [
            { line: 4, reason: 'not-json' },
            { line: 7, reason: 'time-invalid' },
          ],
        },
      })
    },
  )

  it('says the same to people, with reasons', async () => {
    const { stdout } = await millrace('features', 'preview', '--user', 'ana', '--events', 'events.ndjson')
    expect(stdout).toContain('ana: 2 events folded (beside them 1 duplicate, 1 of other users, 2 refused)')
    expect(stdout).toContain('  spend7d    40.75\n')
    expect(stdout).toContain('freshUntil  2026-03-08T13:00:00.000Z')
    expect(stdout).toContain('refused line 4: not-json: The payload is not JSON.')
  })

  it('leaves out what is later than --at, and evaluates there', async () => {
    const at = async (time: string) => {
      const words = ['--user', 'ana', '--events', 'events.json', '--at', time, '--json']
      return JSON.parse((await millrace('features', 'preview', ...words)).stdout) as object
    }
    expect(await at('2026-03-02T00:00:00Z')).toMatchObject({ values: { orders7d: 1 }, events: { later: 1 } })
    expect(await at('2026-04-02T00:00:00Z')).toMatchObject({ values: { orders7d: 0, lastItem: 'item 3' } })
  })

  it('says what to do about a user without events, a wrong time and a missing file', async () => {
    const preview = (...words: string[]) => millrace('features', 'preview', ...words, '--json')
    const nobody = await preview('--user', 'nobody', '--events', 'events.ndjson')
    expect(nobody.exitCode).toBe(1)
    expect(nobody.stderr).toContain('user-without-events')
    expect(nobody.stderr).toContain('ana, ben')
    const wrongTime = await preview('--user', 'ana', '--events', 'events.ndjson', '--at', '2026-03-02')
    expect(wrongTime.exitCode).toBe(2)
    const noFile = await preview('--user', 'ana', '--events', 'none.ndjson')
    expect(JSON.parse(noFile.stderr)).toMatchObject({ error: { code: 'file-missing' } })
  })
})

describe('millrace features export', () => {
  const PAIRS = [
    ['ana', '2026-03-03T12:00:00Z', 'true', '1'],
    ['ana', '2026-03-03T12:00:00.001Z', 'false', '0.5'],
    ['ben', '2026-03-01T12:00:00Z', 'true', ''],
  ]

  it('writes typed columns at time − 1 ms, in order of time, with labels and fingerprints', async () => {
    await writeFile(join(folder, 'pairs.csv'), `user,time,label,weight\n${PAIRS.join('\n')}\n`)
    const words = ['--events', 'events.ndjson', '--at', 'pairs.csv', '--out', 'table.parquet', '--json']
    const { exitCode, stdout } = await millrace('features', 'export', ...words)
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ rows: 3, users: 2, events: { folded: 3, duplicates: 1, refused: 2 } })

    const file = await asyncBufferFromFile(join(folder, 'table.parquet'))
    const nothing = { orders7d: 0, spend7d: 0, giftShare: null, lastItem: null, lastGift: null }
    const time = (text: string) => new Date(text)
    expect(await parquetReadObjects({ file })).toEqual([
      { user: 'ben', time: time('2026-03-01T12:00:00Z'), label: true, weight: null, ...nothing },
      {
        user: 'ana',
        time: time('2026-03-03T12:00:00Z'),
        label: true,
        weight: 1,
        orders7d: 1,
        spend7d: 10.5,
        giftShare: 0,
        lastItem: 'item 1',
        lastGift: false,
      },
      {
        user: 'ana',
        time: time('2026-03-03T12:00:00.001Z'),
        label: false,
        weight: 0.5,
        orders7d: 2,
        spend7d: 40.75,
        giftShare: 0.5,
        lastItem: 'item 3',
        lastGift: true,
      },
    ])
    const { key_value_metadata: pairs = [], schema } = await parquetMetadataAsync(file)
    const fingerprints = JSON.parse(pairs[0]?.value ?? '') as Record<string, string>
    expect(Object.keys(fingerprints).sort()).toEqual(['giftShare', 'lastGift', 'lastItem', 'orders7d', 'spend7d'])
    expect(fingerprints['orders7d']).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.parse(pairs[1]?.value ?? '')).toEqual({ gift: ['spend7d', 'giftShare', 'lastGift'] })
    expect(schema.map(({ name, type }) => `${name} ${type}`)).toContain('lastGift BOOLEAN')
    expect((await readdir(folder)).filter(name => name.endsWith('.unfinished'))).toEqual([])
  })

  it('takes pairs from NDJSON and from Parquet alike, and refuses columns named like features', async () => {
    const ndjson = PAIRS.map(([user, time]) => JSON.stringify({ user, time, note: 'n' })).join('\n')
    await writeFile(join(folder, 'pairs.ndjson'), ndjson)
    parquetWriteFile({
      filename: join(folder, 'pairs.parquet'),
      columnData: [
        { name: 'user', data: PAIRS.map(([user]) => user ?? ''), type: 'STRING' },
        { name: 'time', data: PAIRS.map(([, time]) => new Date(time ?? '')), type: 'TIMESTAMP' },
        { name: 'note', data: PAIRS.map(() => 'n'), type: 'STRING' },
      ],
    })
    const table = async (at: string, out: string) => {
      const { stderr } = await millrace('features', 'export', '--events', 'events.json', '--at', at, '--out', out)
      expect(stderr).not.toContain('(')
      return parquetReadObjects({ file: await asyncBufferFromFile(join(folder, out)) })
    }
    const rows = await table('pairs.ndjson', 'first.parquet')
    expect(rows).toHaveLength(3)
    expect(await table('pairs.parquet', 'second.parquet')).toEqual(rows)
    const again = ['--at', 'first.parquet', '--out', 'third.parquet']
    expect((await millrace('features', 'export', '--events', 'events.json', ...again)).stderr).toContain(
      'column-invalid',
    )
  })

  it('asks for what it needs before it reads anything', async () => {
    const without = await millrace('features', 'export', '--at', 'none.csv', '--out', 'table.parquet')
    expect(without).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--events is missing') })
    expect((await millrace('features', 'export', '--help')).stdout).toContain(
      'features export --events FILE... --at FILE --out FILE [options]',
    )
    expect((await millrace('features', 'preview', '--help')).stdout).toContain('--user ID --events FILE [options]')
  })

  it('writes nothing on a dry run, and never over a file', async () => {
    await writeFile(join(folder, 'pairs.csv'), `user,time\nana,2026-03-03T12:00:00Z\n`)
    const words = ['--events', 'events.ndjson', '--at', 'pairs.csv', '--out']
    const dry = await millrace('features', 'export', ...words, 'dry.parquet', '--dry-run')
    expect(dry.stdout).toContain('Would write 1 rows of 1 users')
    expect(await readdir(folder)).not.toContain('dry.parquet')
    await writeFile(join(folder, 'mine.txt'), 'mine')
    const over = await millrace('features', 'export', ...words, 'mine.txt', '--json')
    expect(JSON.parse(over.stderr)).toMatchObject({ error: { code: 'file-exists' } })
  })

  it.each([
    ['a time without an offset', 'user,time\nana,2026-03-03T12:00:00\n'],
    ['a row without a user', 'time\n2026-03-03T12:00:00Z\n'],
    ['no row', 'user,time\n'],
  ])('refuses pairs with %s', async (_, csv) => {
    await writeFile(join(folder, 'wrong.csv'), csv)
    const words = ['--events', 'events.ndjson', '--at', 'wrong.csv', '--out', 'wrong.parquet', '--json']
    const { exitCode, stderr } = await millrace('features', 'export', ...words)
    expect(exitCode).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'instants-invalid' } })
    expect(await readdir(folder)).not.toContain('wrong.parquet')
  })
})
