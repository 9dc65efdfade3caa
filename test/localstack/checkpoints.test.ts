import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { fileCheckpoints } from '../../localstack/checkpoints.ts'
import { mapRecord } from '../../localstack/mapped-record.ts'
import { newShardCounters } from '../../localstack/shard-counters.ts'
import { shardProgress } from '../../localstack/shard-progress.ts'

const SHARD = 'shardId-000000000000'

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

it('in files are found again, the last one of each shard', async () => {
  const folder = await newFolder()
  const checkpoints = fileCheckpoints(folder, 'Mapping')
  expect(await checkpoints.load(SHARD)).toBeUndefined()
  await checkpoints.save(SHARD, { type: 'AT_TIMESTAMP', atMs: 5 })
  await checkpoints.save(SHARD, { type: 'AFTER_SEQUENCE', sequence: '49590338271490256608559692538361571095921' })
  await checkpoints.save('other', { type: 'SHARD_END' })
  const again = fileCheckpoints(folder, 'Mapping')
  expect(await again.load(SHARD)).toEqual({
    type: 'AFTER_SEQUENCE',
    sequence: '49590338271490256608559692538361571095921',
  })
  expect(await again.load('other')).toEqual({ type: 'SHARD_END' })
  expect(await fileCheckpoints(folder, 'Another').load(SHARD)).toBeUndefined()
  expect(await readdir(join(folder, 'checkpoints', 'Mapping'))).toEqual(['other', SHARD])
})

it('of earlier versions, which are a sequence and nothing else, are read', async () => {
  const folder = await newFolder()
  await mkdir(join(folder, 'checkpoints', 'Mapping'), { recursive: true })
  await writeFile(join(folder, 'checkpoints', 'Mapping', SHARD), '4959')
  expect(await fileCheckpoints(folder, 'Mapping').load(SHARD)).toEqual({ type: 'AFTER_SEQUENCE', sequence: '4959' })
})

it('are saved one after the other, the last one last, and none after the mapping was killed', async () => {
  const saved: string[] = []
  const waiting: (() => void)[] = []
  let isKilled = false
  const progress = shardProgress(newShardCounters(SHARD), {
    save: async checkpoint => {
      saved.push(checkpoint.type === 'AFTER_SEQUENCE' ? checkpoint.sequence : checkpoint.type)
      await new Promise<void>(resolve => waiting.push(resolve))
    },
    isKilled: () => isKilled,
  })
  const source = { streamArn: 'arn', shard: SHARD, roleArn: 'arn', region: 'us-east-1' }
  const records = ['1', '2', '3', '4'].map(sequence =>
    mapRecord({ sequence, partitionKey: 'key', dataBase64: '', arrivalMs: 1 }, source),
  )
  for (const record of records) progress.add(record)
  const settling = records.slice(0, 3).map(record => progress.settle([record]))
  expect(saved).toEqual(['1'])
  waiting.shift()?.()
  await expect.poll(() => saved).toEqual(['1', '3'])
  settling.push(progress.settle(records.slice(3)))
  isKilled = true
  waiting.shift()?.()
  await Promise.all(settling)
  expect(saved).toEqual(['1', '3'])
})

it('the end of a shard is saved after the sequence that is being saved, which would otherwise replace it', async () => {
  const saved: string[] = []
  const waiting: (() => void)[] = []
  const progress = shardProgress(newShardCounters(SHARD), {
    save: async checkpoint => {
      await new Promise<void>(resolve => waiting.push(resolve))
      saved.push(checkpoint.type)
    },
    isKilled: () => false,
  })
  const source = { streamArn: 'arn', shard: SHARD, roleArn: 'arn', region: 'us-east-1' }
  const record = mapRecord({ sequence: '1', partitionKey: 'key', dataBase64: '', arrivalMs: 1 }, source)
  progress.add(record)
  const done = Promise.all([progress.settle([record]), progress.finish()])
  while (saved.length < 2) {
    await Promise.resolve()
    waiting.pop()?.()
  }
  await done
  expect(saved).toEqual(['AFTER_SEQUENCE', 'SHARD_END'])
})
