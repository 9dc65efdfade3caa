// show and replay as a person calls them, on the local cloud's DynamoDB and S3.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import type { RefusalReason } from '../../src/event/decoded-event.ts'
import type { StreamRecord } from '../../src/event/stream-record.ts'
import { rawRecord } from '../recompute/harness.ts'
import { openShop, type Shop } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, number, pipeline } from 'millrace'
const visit = event('visit', {
  id: 'id', user: 'user', time: 'at', lateness: '1h', fields: { seconds: number() }, owner: 'ana',
})
export default pipeline({ name: 'shop', features: features({ ever: count(visit) }), models: [] })
`
const NOW = Date.UTC(2026, 5, 1, 12)
const HOUR_MS = 3_600_000
const SHARD = 'events@1/shardId-000000000000'

let shop: Shop

beforeAll(async () => {
  shop = await openShop({ source: PIPELINE, with: ['users', 'archive'], clock: () => NOW })
  await setAside('contract', visit(1, 5), visit(2, 6), visit(3, 'long'))
  await setAside('future', visit(4, 7, NOW - HOUR_MS))
  await setAside('not-json', { ...visit(5, 1), dataBase64: Buffer.from([0x1b, 0xff]).toString('base64') })
})

afterAll(() => shop.close())

const millrace = (...words: string[]) => shop.millrace('deadletters', ...words)

function visit(id: number, seconds: unknown, atMs = NOW - 10 * HOUR_MS): StreamRecord {
  const payload = { type: 'visit', id, user: 'user-1', at: new Date(atMs).toISOString(), seconds }
  return rawRecord(JSON.stringify(payload), id, 'user-1', NOW - 10 * HOUR_MS)
}

async function setAside(reason: RefusalReason, ...records: readonly StreamRecord[]): Promise<void> {
  const refusal = { reason, detail: `It was ${reason}.` }
  await writeDeadLetters(
    shop.connection.archive,
    records.map(record => ({ record, refusal })),
  )
  await archiveBatch(records, shop.connection.archive)
}

describe('deadletters show', () => {
  it('tells everything of a letter that the contracts accept today', async () => {
    const { exitCode, stdout } = await millrace('show', '1')
    expect(exitCode).toBe(0)
    for (const text of [`${SHARD}/1\n`, 'reason:   contract: It was contract.', 'type:     visit, owner ana', 'open']) {
      expect(stdout).toContain(text)
    }
    expect(stdout).toContain('The contracts accept it.')
    expect(stdout).toContain(`millrace deadletters replay ${SHARD}/1 --preview`)
    expect(stdout).toContain('"seconds":5')
  })

  it('names the field that is refused, and shows bytes that are no text in hex', async () => {
    const today = { accepted: false, reason: 'contract', field: 'seconds' }
    expect(JSON.parse((await millrace('show', `${SHARD}/3`, '--json')).stdout)).toMatchObject({ today, state: 'open' })
    const bytes = JSON.parse((await millrace('show', '5', '--json')).stdout) as object
    expect(bytes).toMatchObject({ payload: { encoding: 'hex', content: '1bff', bytes: 2 }, type: null, owner: null })
  })

  it('refuses what is no name, and a letter that is none', async () => {
    expect((await millrace('show', 'user-1')).exitCode).toBe(2)
    const { exitCode, stderr } = await millrace('show', '99')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('There is no letter 99')
  })

  it('asks which one where two shards have the sequence', async () => {
    const elsewhere = { ...visit(3, 'long'), shard: 'shardId-000000000001' }
    await setAside('contract', elsewhere)
    const { exitCode, stderr } = await millrace('show', '3')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('events@1/shardId-000000000001/3')
  })
})

describe('deadletters replay', () => {
  it('previews by reason and touches nothing', async () => {
    const { exitCode, stdout } = await millrace('replay', '--preview')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('contract: 4 letters\n  2 would be folded\n  2 would be refused again')
    expect(stdout).toContain('Nothing was touched.')
    expect(await shop.connection.users.load('user-1')).toBeUndefined()
    const dry = JSON.parse((await millrace('replay', '--dry-run', '--json', '--reason', 'contract')).stdout) as object
    expect(dry).toMatchObject({
      isPreview: true,
      letters: 4,
      byReason: { contract: { folded: 2, refused: 2 } },
      left: 0,
    })
  })

  it('replays all only on a word, and knows its reasons and names', async () => {
    expect(await millrace('replay')).toMatchObject({ exitCode: 2, stdout: '' })
    const misspelt = await millrace('replay', '--reason', 'contrct')
    expect(misspelt.exitCode).toBe(2)
    expect(misspelt.stderr).toContain('Did you mean contract?')
    expect((await millrace('replay', '77')).stderr).toContain('There is no letter 77')
  })

  it('folds what is named, and says of the rest that it is left, with 1', async () => {
    expect(await millrace('replay', '1')).toMatchObject({ exitCode: 0 })
    expect(await shop.connection.users.load('user-1')).toMatchObject({ v: 1 })
    const { exitCode, stdout, stderr } = await millrace('replay', '--reason', 'contract')
    expect(exitCode).toBe(1)
    expect(stdout).toContain('1 folded')
    expect(stdout).toContain('the first refusal: contract: ')
    expect(stderr).toContain('2 letters are still open')
    expect((await millrace('list', '--all')).stdout).toContain('contract (closed)')
    expect((await millrace('show', '1')).stdout).toContain('closed by millrace deadletters replay')
  })

  it('takes the future where it is told to', async () => {
    expect((await millrace('replay', '--reason', 'future')).exitCode).toBe(1)
    const { exitCode, stdout } = await millrace('replay', '--reason', 'future', '--accept-future', '--wait', '1s')
    expect(stdout).toContain('1 counted by a rebuild and closed')
    expect(exitCode).toBe(0)
    const { closedBy, acceptedMs } = JSON.parse((await millrace('show', '4', '--json')).stdout) as Record<
      string,
      unknown
    >
    expect([closedBy, acceptedMs]).toEqual(['millrace deadletters replay', NOW])
  })
})
