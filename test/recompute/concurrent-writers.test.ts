// Many writers of one user at once, and puts whose answers are lost on a real socket: every event is folded once, and who loses too
// often says so and is delivered again.
import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { awsClients } from '../../src/compose/clients.ts'
import { systemSleep } from '../../src/platform/clock.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { CONFLICT_ATTEMPTS_MAX } from '../../src/recompute/limits.ts'
import { toAttributes } from '../../src/store/dynamodb-attributes.ts'
import { dynamodbUserStore } from '../../src/store/dynamodb-user-store.ts'
import type { StoredItem, UserStore } from '../../src/store/user-item.ts'
import { type HttpDynamodb, startHttpDynamodb } from '../fakes/http-dynamodb.ts'
import { type LocalDynamodb, startLocalDynamodb } from '../fakes/local-dynamodb.ts'
import { memoryUserStore } from '../fakes/memory-user-store.ts'
import { type Harness, harness, orderRecord, smallShop, stored, values } from './harness.ts'

const WRITERS = 32
/** A writer that fails is delivered again; each round at least one succeeds. */
const ROUNDS_MAX = WRITERS

/** Each writer has an event of its own, all of one user. How many rounds of deliveries it took. */
async function storm(users: UserStore, sleep: (ms: number) => Promise<void>): Promise<number> {
  let waiting = Array.from({ length: WRITERS }, (_, index) => index + 1)
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const failed = await Promise.all(
      waiting.map(async event => {
        let puts = 0
        const counting = {
          ...users,
          put: async (item: StoredItem, expected: number | undefined) => {
            puts++
            return users.put(item, expected)
          },
        }
        const writer = harness({
          compiled: smallShop,
          users: counting as UserStore,
          sleep,
          random: seededRandom(round * 1000 + event),
        })
        const { failedSequence, counts, errors } = await writer.deliver([orderRecord(event, event)])
        expect(puts).toBeLessThanOrEqual(CONFLICT_ATTEMPTS_MAX)
        if (failedSequence === undefined) {
          expect(counts).toMatchObject({ folded: 1, failed: 0, usersWritten: 1 })
          expect(counts.conflicts).toBe(puts - 1)
          return []
        }
        expect(errors).toMatchObject([{ code: 'write-conflict', retriable: true }])
        expect(counts).toMatchObject({ folded: 0, failed: 1, conflicts: CONFLICT_ATTEMPTS_MAX })
        return [event]
      }),
    )
    waiting = failed.flat()
    if (waiting.length === 0) return round
  }
  throw new Error(`${waiting.length} writers are not done`)
}

async function checkStorm(users: UserStore): Promise<void> {
  const table: Harness = { ...harness({ compiled: smallShop, users }), users: users as Harness['users'] }
  expect(await values(table, 'ana')).toMatchObject({ ordersEver: WRITERS })
  expect((await stored(table, 'ana')).v).toBe(WRITERS)
}

describe('a storm of writers of one user', () => {
  it('ends with every event folded once, in memory, where nobody waits and most lose', async () => {
    const users = memoryUserStore()
    expect(await storm(users, async () => undefined)).toBeGreaterThan(1)
    await checkStorm(users)
  })

  describe('on a table', () => {
    let local: LocalDynamodb
    beforeAll(async () => {
      local = await startLocalDynamodb()
      await local.createUsersTable('users')
    })
    afterAll(() => local.stop())

    it('ends with every event folded once, where a failed condition carries no item', async () => {
      const { client } = local
      const users = dynamodbUserStore({ client, table: 'users', random: seededRandom(1), sleep: systemSleep })
      await storm(users, systemSleep)
      await checkStorm(users)
    })

    it('recognises its own put by a strongly consistent read', async () => {
      const { client } = local
      const users = dynamodbUserStore({ client, table: 'users', random: seededRandom(1), sleep: systemSleep })
      const racing = {
        ...users,
        put: async (item: StoredItem, expected: number | undefined) => {
          const other = { ...item, userId: 'ben' }
          if (expected === undefined) {
            await client.send(new PutItemCommand({ TableName: 'users', Item: toAttributes(other) }))
          }
          return users.put(item, expected)
        },
      }
      const { counts } = await harness({ users: racing as UserStore }).deliver([orderRecord(1, 1, { user: 'ben' })])
      // Another table's client has put the very bytes: it is as if the answer to this put had been lost.
      expect(counts).toMatchObject({ folded: 1, conflicts: 0, usersWritten: 1 })
    })
  })
})

describe('a put that is applied and whose connection breaks', () => {
  let wire: HttpDynamodb
  beforeAll(async () => {
    wire = await startHttpDynamodb()
  })
  afterAll(() => wire.stop())

  it.each([true, false])(
    "is recognised by the SDK's own second try, where a failed condition carries the item: %s",
    async sendsItem => {
      wire.sendsItem = sendsItem
      wire.calls.length = 0
      const user = `user-${sendsItem}`
      const clients = awsClients({ AWS_ENDPOINT_URL: wire.endpoint })
      let puts = 0
      wire.fault = ({ operation }) => (operation === 'PutItem' && ++puts === 1 ? 'apply-and-drop' : undefined)
      const users = dynamodbUserStore({
        client: clients.dynamodb,
        table: 'users',
        random: seededRandom(1),
        sleep: systemSleep,
      })
      const run = harness({ users })
      const { counts, failedSequence } = await run.deliver([orderRecord(1, 1, { user }), orderRecord(2, 2, { user })])
      expect(failedSequence).toBeUndefined()
      expect(counts).toMatchObject({ folded: 2, duplicate: 0, conflicts: 0, usersWritten: 1 })
      const reading = sendsItem ? [] : ['GetItem']
      expect(wire.calls.map(({ operation }) => operation)).toEqual(['BatchGetItem', 'PutItem', 'PutItem', ...reading])
      expect(await values({ ...run, users: users as Harness['users'] }, user)).toMatchObject({ ordersEver: 2 })
      clients.destroy()
    },
  )
})

describe('an item that another writer made too large', () => {
  it('takes nothing of what it has folded with it: only what is not folded becomes a letter', async () => {
    const users = memoryUserStore()
    let isFirst = true
    const racing = {
      ...users,
      put: async (item: StoredItem, expected: number | undefined) => {
        if (isFirst) {
          isFirst = false
          await harness({ users }).deliver([orderRecord(1, 1)])
          users.plant({ ...users.raw('ana'), note: { S: 'x'.repeat(100_000) } })
        }
        return users.put(item, expected)
      },
    }
    const run = harness({ users: racing as UserStore })
    const { counts } = await run.deliver([orderRecord(1, 1), orderRecord(2, 2)])
    expect(run.deadLetters).toMatchObject([{ record: { sequence: '2' }, refusal: { reason: 'item-too-big' } }])
    expect(counts).toMatchObject({ folded: 0, duplicate: 1, deadLetters: { 'item-too-big': 1 }, failed: 0 })
    expect(await values({ ...run, users }, 'ana')).toMatchObject({ ordersEver: 1 })
  })
})
