// Where a local cloud starts: the port that it takes, the folder that it keeps everything in, and what it says where it cannot.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type LocalCloud, startLocalCloud } from '../../localstack/local-cloud.ts'
import { localS3Client } from '../../localstack/s3-buckets.ts'
import { BUCKET, eventsOf, put, totals } from './cloud-events.ts'
import { writeFixtureBuild } from './fixture-functions.ts'

let folder = ''
let build = { template: '', zipFolder: '' }
let cloud: LocalCloud

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  build = await writeFixtureBuild(join(folder, 'build'))
  cloud = await startLocalCloud({ build, port: 0, log: () => undefined })
})

afterAll(async () => {
  await cloud.stop()
  await rm(folder, { recursive: true })
})

it('takes the port that it is told or none', async () => {
  const options = { build, port: cloud.port, log: () => undefined }
  await expect(startLocalCloud(options)).rejects.toMatchObject({
    code: 'port-taken',
    message: `Port ${cloud.port} is taken`,
    next: expect.stringContaining('another --port'),
  })
})

it('says where it is when the default port is taken', async () => {
  // Taken by this test, or by somebody else already: either way the cloud cannot have it.
  const holder = createServer()
  await new Promise<void>(resolve => {
    holder.once('error', () => resolve())
    holder.listen(4566, '127.0.0.1', resolve)
  })
  const other = await startLocalCloud({ build, log: () => undefined })
  expect(other.port).not.toBe(4566)
  expect(other.notes).toContain(`Port 4566 is taken: this cloud is at port ${other.port}.`)
  expect(other.status().notes).toEqual(other.notes)
  await other.stop()
  holder.close()
})

it('keeps everything in a folder, and goes on where it was', async () => {
  const options = { build, port: 0, path: join(folder, 'kept'), pollMs: 20, log: () => undefined }
  const first = await startLocalCloud(options)
  const client = localS3Client(first.endpoint)
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'kept', Body: 'bytes' }))
  client.destroy()
  await put(first, [{ user: 'kept' }, { user: 'other' }])
  await first.waitUntilDrained()
  const pids = first.status().functions.flatMap(each => each.pids)
  await first.stop()
  expect(pids.length).toBeGreaterThan(0)
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow(expect.objectContaining({ code: 'ESRCH' }))
  await expect(fetch(first.endpoint)).rejects.toThrow()

  const second = await startLocalCloud(options)
  await put(second, [{ user: 'kept' }])
  await second.waitUntilDrained()
  expect(totals(second)).toMatchObject({ delivered: 1, invocations: 1 })
  expect(await eventsOf(second, 'kept')).toBe(2)
  const again = localS3Client(second.endpoint)
  const { Body } = await again.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'kept' }))
  expect(await Body?.transformToString()).toBe('bytes')
  again.destroy()
  await second.stop()
})

it('says that it cannot keep anything in a file', async () => {
  const options = { build, port: 0, path: build.template, log: () => undefined }
  await expect(startLocalCloud(options)).rejects.toMatchObject({
    code: 'path-unusable',
    message: `Nothing can be kept in ${build.template}`,
  })
})

it('leaves nothing running when it cannot start', async () => {
  const template = join(folder, 'none.json')
  await expect(startLocalCloud({ build: { ...build, template }, port: 0, log: () => undefined })).rejects.toMatchObject(
    {
      code: 'template-missing',
    },
  )
})
