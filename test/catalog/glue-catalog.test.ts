// What the adapter asks of AWS Glue and makes of its answers: pages, batches and refusals, which moto does not have.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { glueCatalog, glueClient } from '../../src/catalog/glue-catalog.ts'
import type { MirrorPartition, TableMirror } from '../../src/catalog/table-mirror.ts'
import { clientOptions } from '../../src/compose/clients.ts'

type Body = Readonly<Record<string, unknown>>
/** By operation; an error's name where it is a text. */
type Answer = (body: Body) => Body | string

const AT = { database: 'shop_dev__shop', name: 'users' }
const TARGET = { DatabaseName: AT.database, TableName: AT.name }
const STORAGE = { location: 's3://b/', columns: [], inputFormat: 'i', outputFormat: 'o', serde: 's' }
const TABLE = { description: 'd', partitionKeys: ['day'], storage: STORAGE, parameters: {} }

let server: Server
let mirror: TableMirror
let asked: { readonly operation: string; readonly body: Body }[]
let answers: Record<string, Answer>
let close = () => {}

beforeEach(async () => {
  asked = []
  answers = {}
  server = createServer((request, response) => {
    let text = ''
    request.on('data', chunk => (text += String(chunk)))
    request.on('end', () => {
      const operation = String(request.headers['x-amz-target']).replace('AWSGlue.', '')
      const body = JSON.parse(text) as Body
      asked.push({ operation, body })
      const answer = answers[operation]?.(body) ?? {}
      response.setHeader('content-type', 'application/x-amz-json-1.1')
      response.statusCode = typeof answer === 'string' ? 400 : 200
      response.end(JSON.stringify(typeof answer === 'string' ? { __type: answer, message: 'no' } : answer))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = glueClient(clientOptions({ AWS_ENDPOINT_URL: url }))
  close = () => client.destroy()
  mirror = glueCatalog({ client })
})

afterEach(async () => {
  close()
  server.closeAllConnections()
  await new Promise<void>(resolve => server.close(() => resolve()))
})

const partitionOf = (value: string): MirrorPartition => ({ values: [value], storage: STORAGE, parameters: { a: '1' } })
const operations = (): string[] => asked.map(({ operation }) => operation)
const valuesIn = (list: unknown): number => (list as readonly unknown[]).length

describe('reading', () => {
  it('what is not there is undefined', async () => {
    answers = { GetTable: () => 'EntityNotFoundException', GetPartition: () => 'EntityNotFoundException' }
    expect(await mirror.table(AT)).toBeUndefined()
    expect(await mirror.partition(AT, ['1'])).toBeUndefined()
  })

  it('goes through all pages of partitions', async () => {
    answers = {
      GetPartitions: ({ NextToken }) =>
        NextToken === undefined
          ? { Partitions: [{ Values: ['1'] }], NextToken: 'more' }
          : { Partitions: [{ Values: ['2'], Parameters: { a: '1' } }] },
    }
    const found: MirrorPartition[] = []
    for await (const partition of mirror.partitions(AT)) found.push(partition)
    expect(found.map(({ values, parameters }) => [values, parameters])).toEqual([
      [['1'], {}],
      [['2'], { a: '1' }],
    ])
    expect(asked[1]?.body).toEqual({ ...TARGET, NextToken: 'more' })
  })

  it('gives back what was written', async () => {
    await mirror.createTable(AT, TABLE)
    const { TableInput } = asked[0]?.body ?? {}
    answers = { GetTable: () => ({ Table: TableInput }) }
    expect(await mirror.table(AT)).toEqual(TABLE)
  })
})

describe('writing', () => {
  it('makes the database where there is none, and takes a table that is there already', async () => {
    let isThere = false
    answers = {
      CreateTable: () => (isThere ? 'AlreadyExistsException' : 'EntityNotFoundException'),
      CreateDatabase: () => {
        isThere = true
        return {}
      },
    }
    await mirror.createTable(AT, TABLE)
    expect(operations()).toEqual(['CreateTable', 'CreateDatabase', 'CreateTable'])
    expect(asked[1]?.body).toMatchObject({ DatabaseInput: { Name: AT.database } })
  })

  it('sends a hundred partitions at a time, and updates those that are there', async () => {
    const refusal = { PartitionValues: ['7'], ErrorDetail: { ErrorCode: 'AlreadyExistsException' } }
    answers = {
      BatchCreatePartition: ({ PartitionInputList }) =>
        valuesIn(PartitionInputList) === 100 ? { Errors: [refusal] } : {},
    }
    await mirror.putPartitions(
      AT,
      Array.from({ length: 101 }, (_, index) => partitionOf(String(index))),
    )
    expect(operations()).toEqual(['BatchCreatePartition', 'BatchUpdatePartition', 'BatchCreatePartition'])
    expect(asked[1]?.body).toMatchObject({ ...TARGET, Entries: [{ PartitionValueList: ['7'] }] })
    expect(valuesIn(asked[2]?.body['PartitionInputList'])).toBe(1)
  })

  it.each(['BatchCreatePartition', 'BatchUpdatePartition'])('does not pass over what %s refuses', async operation => {
    const refused = (ErrorCode: string) => ({
      Errors: [{ PartitionValues: ['1'], PartitionValueList: ['1'], ErrorDetail: { ErrorCode, ErrorMessage: 'why' } }],
    })
    answers = {
      BatchCreatePartition: () => refused('AlreadyExistsException'),
      [operation]: () => refused('InvalidInputException'),
    }
    await expect(mirror.putPartitions(AT, [partitionOf('1')])).rejects.toMatchObject({
      code: 'mirror-refused',
      message: expect.stringContaining('InvalidInputException'),
    })
  })

  it('drops 25 partitions at a time, and is content with those that are gone', async () => {
    const gone = { PartitionValues: ['1'], ErrorDetail: { ErrorCode: 'EntityNotFoundException' } }
    answers = { BatchDeletePartition: () => ({ Errors: [gone] }), DeleteTable: () => 'EntityNotFoundException' }
    await mirror.dropPartitions(
      AT,
      Array.from({ length: 26 }, (_, index) => [String(index)]),
    )
    expect(asked.map(({ body }) => valuesIn(body['PartitionsToDelete']))).toEqual([25, 1])
    await mirror.dropTable(AT)
  })

  it('leaves a table to who is updating it at the same time, and keeps no old version of it', async () => {
    answers = { UpdateTable: () => 'ConcurrentModificationException' }
    await mirror.updateTable(AT, TABLE)
    expect(asked[0]?.body).toMatchObject({ SkipArchive: true })
  })

  it('says what Glue said', async () => {
    answers = { GetTable: () => 'AccessDeniedException' }
    await expect(mirror.table(AT)).rejects.toMatchObject({ code: 'mirror-refused', retriable: false })
    answers = { GetTable: () => 'ThrottlingException' }
    await expect(mirror.table(AT)).rejects.toMatchObject({ code: 'mirror-unavailable', retriable: true })
  })
})
