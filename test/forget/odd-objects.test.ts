// Objects of the catalogue's bucket that are of no batch: lists that a mirror in AWS Glue follows, and what nobody here knows.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { linksKey } from '../../src/catalog/mirror-plan.ts'
import { storeRows } from '../../src/catalog/table-rows.ts'
import { type ForgetWorld, forgetWorld, REASON } from './forget-world.ts'

const ID = '4711'
const scores = { db: 'team', table: 'scores', partition: 'day=1' }

let world: ForgetWorld

beforeEach(async () => {
  world = forgetWorld()
  await world.catalog.createTable(scores, {
    columns: [{ name: 'user_id', type: 'string' }],
    format: 'parquet',
    owner: 'team',
  })
})

afterEach(() => world.remove())

/** As the mirror leaves them, of every batch that is there. */
async function mirrored(partition = scores.partition): Promise<void> {
  const { batchId } = await storeRows(world.catalog, { ...scores, partition }, { rows: [{ user_id: ID }], ...REASON })
  const record = await world.catalog.batch({ ...scores, partition }, batchId)
  await put(linksKey(record))
}

const put = (key: string): Promise<unknown> => world.objects.store.create(key, Buffer.from('s3://bucket/x\n'))

describe('lists of parts that a mirror follows', () => {
  it('keep nobody from being forgotten', async () => {
    await mirrored()
    expect(await world.forget({ userId: ID, isDryRun: true })).toMatchObject({ left: [] })
    expect(await world.forget({ userId: ID })).toMatchObject({ isComplete: true, left: [] })
  })

  it('are named where no batch is theirs any more and the user is in their name', async () => {
    await put(`glue.symlinks/team/scores/user=${ID}/20260101000000-aaaaaaaa/parts.txt`)
    await put('glue.symlinks/team/scores/user=12/20260101000000-aaaaaaaa/parts.txt')
    const { left } = await world.forget({ userId: ID })
    expect(left.map(({ where }) => where)).toEqual(['glue.symlinks/team/scores/user=<user>/20260101000000-aaaaaaaa/'])
  })
})

describe('objects of other names', () => {
  it('are left in the archive as well, without the id', async () => {
    for (const key of [`${ID}/a`, `${ID}.csv`, 'exports/b']) await world.archive.store.create(key, Buffer.from('x'))
    const { left } = await world.forget({ userId: ID })
    expect(left.map(({ where }) => where).sort()).toEqual(['<user>.csv', '<user>/', 'exports/'])
  })

  it('are left, and no reason to fail', async () => {
    const odd = ['Sheet.xlsx', 'a.b/c/d/20260101000000-aaaaaaaa/x', 'team/scores/a b/20260101000000-aaaaaaaa/x', '//x']
    for (const key of [...odd, `${ID}/of-the-user.csv`]) await put(key)
    const report = await world.forget({ userId: ID })
    expect(report.isComplete).toBe(false)
    expect(report.left.map(({ where }) => where).sort()).toEqual([
      '//',
      '<user>/',
      'Sheet.xlsx',
      'a.b/c/d/20260101000000-aaaaaaaa/',
      'team/scores/a b/20260101000000-aaaaaaaa/',
    ])
    for (const { why } of report.left) expect(why).toContain('it is of no batch: look at it')
  })
})
