// The code of the fixture's functions, as it stands in their zips: no bundler and no SDK, only fetch against the endpoint that
// the environment names. What they do is said by the data that they are given.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import { fixtureTemplate, type TemplateJson } from './fixture-template.ts'

const DYNAMODB = `
export async function dynamodb(operation, input) {
  const response = await fetch(process.env.AWS_ENDPOINT_URL, {
    method: 'POST',
    body: JSON.stringify({ TableName: process.env.TABLE, ...input }),
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.' + operation,
      'x-amz-date': '20260101T000000Z',
      authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
    },
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(JSON.stringify(answer))
  return answer
}
/** True the first time in the life of the table. */
export async function isFirst(name) {
  const Key = { userId: { S: 'marker-' + name } }
  if ((await dynamodb('GetItem', { Key })).Item) return false
  await dynamodb('PutItem', { Item: Key })
  return true
}
`

const RECOMPUTE = `
import { dynamodb, isFirst } from '../dynamodb.mjs'
export async function handler({ Records }, context) {
  const counts = new Map()
  let failure
  for (const { kinesis } of Records) {
    const { user, act } = JSON.parse(Buffer.from(kinesis.data, 'base64').toString())
    if (act === 'throw') throw new Error('on purpose')
    if (act === 'fail' && (await isFirst(user))) { failure = kinesis.sequenceNumber; break }
    if (act === 'hang' && (await isFirst(user))) {
      console.log('hanging')
      await new Promise(resolve => setTimeout(resolve, 60_000))
    }
    counts.set(user, (counts.get(user) ?? 0) + 1)
  }
  await Promise.all([...counts].map(([user, count]) =>
    dynamodb('UpdateItem', {
      Key: { userId: { S: user } },
      UpdateExpression: 'ADD events :count SET remaining = :remaining',
      ExpressionAttributeValues: { ':count': { N: String(count) }, ':remaining': { N: String(context.getRemainingTimeInMillis()) } },
    }),
  ))
  return { batchItemFailures: failure === undefined ? [] : [{ itemIdentifier: failure }] }
}
`

const SERVE = `
import { deflateSync } from 'node:zlib'
import { dynamodb } from './dynamodb.mjs'
export async function handler(event) {
  if (event.source === 'aws.events') return { fired: event.resources[0], epoch: process.env.EPOCH }
  if (event.routeKey === 'POST /events') {
    const { body = '', isBase64Encoded } = event
    return { statusCode: 202, headers: { 'Content-Type': 'application/octet-stream' }, isBase64Encoded: true,
      body: isBase64Encoded ? body : Buffer.from('text:' + body).toString('base64') }
  }
  const { userId } = event.pathParameters
  if (userId === 'slow') await new Promise(resolve => setTimeout(resolve, 60_000))
  if (userId === 'broken') throw new TypeError('broken on purpose')
  if (userId === 'exit') process.exit(3)
  const { Item } = await dynamodb('GetItem', { Key: { userId: { S: userId } }, ConsistentRead: true })
  if (!Item) return { statusCode: 404 }
  const body = deflateSync(JSON.stringify({ userId, events: Number(Item.events.N) })).toString('base64')
  return { statusCode: 200, headers: { 'content-type': 'application/json', 'content-encoding': 'deflate', ETag: '"1"' }, body, isBase64Encoded: true }
}
`

/** Writes `template.json` and the zips into the folder, as `millrace package` does. */
export async function writeFixtureBuild(
  folder: string,
  template: TemplateJson = fixtureTemplate(),
): Promise<{ template: string; zipFolder: string }> {
  await mkdir(folder, { recursive: true })
  const zip = (entries: Record<string, string>): Uint8Array =>
    zipSync(Object.fromEntries(Object.entries(entries).map(([name, text]) => [name, strToU8(text)])))
  await writeFile(
    join(folder, 'recompute.zip'),
    zip({ 'dynamodb.mjs': DYNAMODB, 'functions/recompute.mjs': RECOMPUTE }),
  )
  await writeFile(join(folder, 'serve.zip'), zip({ 'dynamodb.mjs': DYNAMODB, 'index.mjs': SERVE }))
  const file = join(folder, 'template.json')
  await writeFile(file, JSON.stringify(template))
  return { template: file, zipFolder: folder }
}
