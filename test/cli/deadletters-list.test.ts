// The command as a person calls it, on S3's emulator.
import { rm } from 'node:fs/promises'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { archiveBatch } from '../../src/archive/archive-batch.ts'
import { closeRecords } from '../../src/archive/closed-letters.ts'
import { writeDeadLetters } from '../../src/archive/dead-letters.ts'
import { LETTER_REASONS } from '../../src/archive/letter-reasons.ts'
import { LOCAL_ACCOUNT_ID, resourceNames } from '../../src/compose/resource-names.ts'
import type { RefusalReason } from '../../src/event/decoded-event.ts'
import type { ObjectStore } from '../../src/platform/object-store.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { s3ObjectStore } from '../../src/platform/s3-object-store.ts'
import { failureObject, NOON_MS, recordAt, sequenceOf } from '../archive/factories.ts'
import { type FauxqsBucket, startFauxqsBucket } from '../fakes/fauxqs-bucket.ts'
import { call, pipelineFolder } from './shop-world.ts'

const PIPELINE = `
import { count, event, features, pipeline } from 'millrace'
const visit = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
export default pipeline({ name: 'shop', events: [visit], features: features({ visits: count(visit) }), models: [] })
`

let folder = ''
let s3: FauxqsBucket

beforeAll(async () => {
  folder = await pipelineFolder('deadletters-list-', PIPELINE)
  const names = resourceNames({ pipeline: 'shop', stage: 'dev', accountId: LOCAL_ACCOUNT_ID })
  s3 = await startFauxqsBucket(names.archiveBucket)
})

afterAll(async () => {
  await s3.stop()
  await rm(folder, { recursive: true, force: true })
})

const millrace = (...words: string[]) =>
  call(['deadletters', 'list', ...words], { cwd: folder, env: { AWS_ENDPOINT_URL: s3.endpoint } })

function letter(index: number, reason: RefusalReason) {
  return { record: recordAt(index), refusal: { reason, detail: `It is ${reason}.` } }
}

describe('deadletters list', () => {
  it('says that there are none', async () => {
    expect(await millrace()).toEqual({ exitCode: 0, stdout: 'There are no dead letters.\n', stderr: '' })
  })

  describe('with letters of two reasons', () => {
    let store: ObjectStore

    beforeAll(async () => {
      const random = seededRandom(1)
      const sleep = () => Promise.resolve()
      store = s3ObjectStore({ client: s3.client, bucket: s3.bucket, random, sleep, isConditional: false })
      await writeDeadLetters(store, [letter(1, 'late'), letter(2, 'item-too-big'), letter(3, 'late')])
      await writeDeadLetters(store, [letter(3, 'late'), letter(4, 'late')])
    })

    it('shows each record once, without its user', async () => {
      const { exitCode, stdout } = await millrace()
      expect(exitCode).toBe(0)
      const record = (index: number) => `events@1/shardId-000000000000/${sequenceOf(index)}`
      expect(stdout.split('\n')).toEqual([
        'Dead letters: late 3, item-too-big 1.',
        `ARRIVED                   REASON        ${'RECORD'.padEnd(record(1).length)}  DETAIL`,
        `2026-01-02T12:00:01.000Z  late          ${record(1)}  It is late.`,
        `2026-01-02T12:00:02.000Z  item-too-big  ${record(2)}  It is item-too-big.`,
        `2026-01-02T12:00:03.000Z  late          ${record(3)}  It is late.`,
        `2026-01-02T12:00:04.000Z  late          ${record(4)}  It is late.`,
        ...(['late', 'item-too-big'] as const).map(
          reason => `${reason}: ${LETTER_REASONS[reason].meaning} ${LETTER_REASONS[reason].next}`,
        ),
        '',
      ])
    })

    it('gives the whole record of one reason as JSON', async () => {
      const { stdout } = await millrace('--json', '--reason', 'item-too-big')
      const { dataBase64, ...record } = recordAt(2)
      expect(JSON.parse(stdout)).toEqual({
        counts: { late: 3, 'item-too-big': 1 },
        matching: 1,
        letters: [{ ...record, data: dataBase64, reason: 'item-too-big', detail: 'It is item-too-big.' }],
        givenUp: { count: 0, newest: null, unreadable: [] },
        reasons: { late: LETTER_REASONS.late, 'item-too-big': LETTER_REASONS['item-too-big'] },
      })
    })

    it('shows what there is where nothing matches', async () => {
      expect((await millrace('--reason', 'lat')).stdout).toBe('Dead letters: late 3, item-too-big 1.\n')
    })

    it('takes a range of arrival and a limit', async () => {
      const from = new Date(NOON_MS + 2000).toISOString()
      const to = new Date(NOON_MS + 4000).toISOString()
      const { stdout } = await millrace('--from', from, '--to', to, '--limit', '1')
      expect(stdout).toContain('Dead letters: item-too-big 1, late 1, the first 1 of 2 below.')
      expect(stdout.trim().split('\n')).toHaveLength(4)
    })

    it('shows those that a rebuild closed only where all are wanted', async () => {
      await closeRecords(store, 'closed', { records: [recordAt(2)], by: 'backfill' })
      expect((await millrace('--limit', '0')).stdout).toContain('Dead letters: late 3, the first 0 of 3 below.')
      const { stdout } = await millrace('--all')
      expect(stdout).toContain('Dead letters: late 3, item-too-big 1.')
      expect(stdout).toContain('item-too-big (closed)')
      expect(JSON.parse((await millrace('--all', '--json')).stdout)).toMatchObject({
        letters: [{}, { closedBy: 'backfill' }, {}, {}],
      })
    })

    it('refuses a time without an offset', async () => {
      const { exitCode, stderr } = await millrace('--from', '2026-01-02')
      expect(exitCode).toBe(2)
      expect(stderr).toContain('--from')
    })
  })

  it('counts the batches that Lambda gave up on, and says where they are', async () => {
    const key = (name: string) => `aws/lambda/0a1b/shardId-000000000000/2026/01/02/2026-01-02T12.00.0${name}`
    for (const name of ['1-x', '2-y']) {
      await s3.client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: key(name), Body: '{}' }))
    }
    const { givenUp } = JSON.parse((await millrace('--json')).stdout) as { givenUp: { count: number; newest: string } }
    expect(givenUp.count).toBe(2)
    expect(Math.abs(Date.parse(givenUp.newest) - Date.now())).toBeLessThan(60_000)
    expect((await millrace()).stdout).toContain(
      `given-up: 2 whole batches that Lambda stopped retrying, the newest at ${givenUp.newest}, below s3://${s3.bucket}/aws/lambda/.`,
    )
  })

  it('lists the records of such a batch as letters of their own, once', async () => {
    const random = seededRandom(2)
    const sleep = () => Promise.resolve()
    const store = s3ObjectStore({ client: s3.client, bucket: s3.bucket, random, sleep, isConditional: false })
    await archiveBatch([recordAt(7), recordAt(8)], store)
    const key = 'aws/lambda/0a1b/shardId-000000000000/2026/01/02/2026-01-02T12.00.09-z'
    const Body = failureObject([recordAt(7), recordAt(8)])
    await s3.client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: key, Body }))
    const json = JSON.parse((await millrace('--json', '--reason', 'given-up')).stdout) as {
      letters: { sequence: string }[]
    }
    expect(json).toMatchObject({
      counts: { 'given-up': 2 },
      matching: 2,
      givenUp: { count: 3, unreadable: [expect.any(String), expect.any(String)] },
    })
    expect(json.letters[1]).toMatchObject({ stream: 'events@1', sequence: sequenceOf(8), data: recordAt(8).dataBase64 })
  })
})
