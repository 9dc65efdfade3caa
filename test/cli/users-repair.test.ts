// The command as a person calls it, on the local cloud's DynamoDB, S3 and Kinesis.
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { compilePipeline } from '../../src/predictions/compile-pipeline.ts'
import { recomputeBatch } from '../../src/recompute/recompute-batch.ts'
import { countingPredictor, rawRecord } from '../recompute/harness.ts'
import { call, openShop, type Shop, SHOP_NAMES } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', features: features({ ever: count(visit) }), models: [] })
`
const NOW = Date.UTC(2026, 5, 1, 12)

let shop: Shop
let sequence = 0

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['users', 'archive', 'stream'] })
})

afterAll(() => shop.close())

/** With the real time: a wait is one. */
const millrace = (...words: string[]) => shop.millrace('users', 'repair', '--wait', '1s', ...words)

/** On the stream, as its functions get it. */
async function put(user: string): Promise<StreamRecord> {
  sequence++
  const atMs = NOW - (1000 - sequence) * 60_000
  const data = JSON.stringify({ type: 'visit', id: sequence, user, at: new Date(atMs).toISOString() })
  const [result] = await shop.connection.events.putRecords([{ partitionKey: user, data: Buffer.from(data) }])
  if (result?.outcome !== 'put') throw new Error('not put')
  const stream = `${SHOP_NAMES.eventsStream}@1`
  return { ...rawRecord(data, sequence, user, atMs + 1000), stream, shard: result.shard, sequence: result.sequence }
}

async function fold(user: string, count: number): Promise<readonly StreamRecord[]> {
  const records: StreamRecord[] = []
  for (let index = 0; index < count; index++) records.push(await put(user))
  await deliver(records)
  await archiveBatch(records, shop.connection.archive)
  return records
}

async function deliver(records: readonly StreamRecord[]): Promise<void> {
  const compiled = compilePipeline(await loadPipeline(shop.folder))
  const aside = {
    writeDeadLetters: (letters: Parameters<typeof writeDeadLetters>[1]) =>
      writeDeadLetters(shop.connection.archive, letters),
    writeDoubt: async () => undefined,
  }
  const predictor = countingPredictor([])
  await recomputeBatch(records, { ...shop.connection, compiled, predictor, aside, remainingMs: () => 60_000 } as never)
}

async function tear(userId: string, name: string): Promise<void> {
  const key = { TableName: SHOP_NAMES.usersTable, Key: { userId: { S: userId } } }
  const { Item } = await shop.aws.clients.dynamodb.send(new GetItemCommand(key))
  const item = { ...Item, [name]: { B: new Uint8Array([1, 2, 3]) } }
  await shop.aws.clients.dynamodb.send(new PutItemCommand({ TableName: SHOP_NAMES.usersTable, Item: item }))
}

describe('users repair', () => {
  it('shows what it would do, does it, and has nothing to do the second time', async () => {
    await fold('user-1', 3)
    await fold('user-2', 2)
    await tear('user-1', 'dedup')
    await fold('user-1', 1)
    const dry = await millrace('user-1', '--dry-run')
    expect(dry.exitCode).toBe(0)
    expect(dry.stdout).toMatch(/^user-1: would be repaired, version 2, 1 dead letters counted\n {2}was: dedup: 3 bytes/)
    const done = await millrace('user-1', 'user-2')
    expect(done.exitCode).toBe(0)
    expect(done.stdout).toMatch(
      /^user-1: repaired, version \d+, 1 dead letters closed\n {2}was: dedup: .+\n {2}kept: corrupt\//,
    )
    expect(done.stdout).toContain('user-2: sound, and what the archive gives\n')
    const again = await millrace('user-1', '--json')
    expect(JSON.parse(again.stdout)).toEqual({
      users: [{ userId: 'user-1', outcome: 'unchanged', lettersClosed: 0 }],
      isDryRun: false,
    })
    const words = ['users', 'get', 'user-1', '--json']
    const shown = await call(words, { cwd: shop.folder, env: shop.aws.env, clock: () => NOW })
    expect(JSON.parse(shown.stdout)).toMatchObject({ features: { values: { ever: 4 } } })
    const kept = JSON.parse((await millrace('user-1', '--json', '--who', 'ben')).stdout) as object
    expect(kept).toMatchObject({ users: [{ outcome: 'unchanged' }] })
  })

  it('finds all whose items cannot be read', async () => {
    expect(await millrace('--corrupt')).toMatchObject({ exitCode: 0, stdout: 'Every item can be read.\n' })
    await tear('user-1', 'pr')
    await tear('user-2', 'sum')
    const { exitCode, stdout } = await millrace('--corrupt', '--json', '--who', 'ben')
    expect(exitCode).toBe(0)
    const { users } = JSON.parse(stdout) as { users: { userId: string; outcome: string; kept: string }[] }
    expect(users.map(({ userId, outcome }) => `${userId} ${outcome}`).toSorted()).toEqual([
      'user-1 repaired',
      'user-2 repaired',
    ])
    const body = await shop.connection.archive.get(users[0]?.kept ?? '')
    expect(JSON.parse(Buffer.from(body ?? []).toString())).toMatchObject({
      who: 'ben',
      item: { v: { N: expect.any(String) as string } },
    })
  })

  it('ends with 1 where users are left, and says why and what to do', async () => {
    const ahead = await put('user-1')
    await tear('user-1', 'sum')
    const waiting = await millrace('user-1')
    expect(waiting.exitCode).toBe(1)
    expect(waiting.stdout).toContain('user-1: left: the archive does not have yet what the item may contain')
    expect(waiting.stderr).toContain('1 users are left as they were (repair-incomplete)')
    expect(waiting.stderr).toContain('Run it again')
    await archiveBatch([ahead], shop.connection.archive)
    expect((await millrace('user-1')).stdout).toMatch(/^user-1: repaired/)
    const none = await millrace('nobody')
    expect(none).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('nobody: left: there is no item') })
    expect(none.stderr).toContain('The lines above say why')
  })

  it.each([
    [[], 'Which users is not said'],
    [['user-1', '--corrupt'], 'exclude each other'],
    [['a/b'], "no user's id"],
    [['user-1', '--stream-epoch', '0'], '--stream-epoch is "0"'],
    [['user-1', '--wait', 'long'], '"long" is not a duration'],
  ])('refuses %j', async (words, why) => {
    const { exitCode, stderr } = await millrace(...words)
    expect(exitCode).toBe(2)
    expect(stderr).toContain(why)
  })
})
