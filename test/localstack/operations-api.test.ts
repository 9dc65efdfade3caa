// Lambda's and CloudWatch's APIs as the local cloud serves them, asked by the real clients.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GetMetricDataCommand, CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import {
  GetFunctionCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloudwatchApi } from '../../localstack/cloudwatch-api.ts'
import { parseTemplate } from '../../localstack/cloudformation-template.ts'
import { lambdaApi } from '../../localstack/lambda-api.ts'
import { localClientConfig } from '../../localstack/local-clients.ts'
import { mappingControl } from '../../localstack/mapping-control.ts'
import { localMetrics } from '../../localstack/metrics.ts'
import { planDeployment } from '../../localstack/plan-deployment.ts'
import { readBody } from '../../localstack/read-body.ts'
import { requestKind } from '../../localstack/request-kind.ts'
import { cloudWatchMetrics } from '../../src/status/cloudwatch-metrics.ts'
import { lambdaFunctions } from '../../src/status/lambda-api-functions.ts'
import { fixtureTemplate } from './fixture-template.ts'

const MINUTE_MS = 60_000
const NOON_MS = Date.UTC(2026, 0, 2, 12)
const METRIC = { namespace: 'N', name: 'm', dimensions: { a: 'x', b: 'y' } }

const metrics = localMetrics()
const plan = planDeployment(parseTemplate(JSON.stringify(fixtureTemplate()), 'template.json'), {
  parameters: {},
  stackName: 'shop-dev',
  endpoint: 'http://127.0.0.1:4566',
})
const [mappingPlan] = plan.mappings
/** Resolved by the test: until then the change of the mapping goes on. */
let settle: (error?: Error) => void = () => undefined

let server: Server
let config: ReturnType<typeof localClientConfig>

beforeAll(async () => {
  if (mappingPlan === undefined) throw new Error('the fixture has a mapping')
  const setEnabled = () =>
    new Promise<void>((resolve, reject) => {
      settle = error => (error === undefined ? resolve() : reject(error))
    })
  const controls = [
    mappingControl({ mapping: mappingPlan, setEnabled }, { clock: () => NOON_MS, log: () => undefined }),
  ]
  const lambda = lambdaApi({
    invoke: () => undefined,
    functionPlan: name => plan.functions.find(({ functionName }) => functionName === name),
    mappings: () => controls,
    log: () => undefined,
  })
  const cloudwatch = cloudwatchApi(metrics)
  server = createServer((request, response) => {
    const { service } = requestKind(request.url ?? '/', request.headers)
    void readBody(request, 1_000_000).then(body =>
      (service === 'lambda' ? lambda : cloudwatch)(request, body ?? Buffer.alloc(0), response),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  config = localClientConfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})

afterAll(async () => {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
})

describe('CloudWatch', () => {
  const query = { ...METRIC, statistic: 'Maximum', periodMs: MINUTE_MS } as const

  beforeAll(() => {
    for (const [minute, value] of [3, 9, 4].entries()) metrics.record(METRIC, value, NOON_MS + minute * MINUTE_MS)
    metrics.record(METRIC, 5, NOON_MS + 2 * MINUTE_MS)
  })

  it('gives points in the order of time, for each query its own', async () => {
    const reader = cloudWatchMetrics(config)
    const queries = [
      query,
      { ...query, name: 'none' },
      { ...query, statistic: 'Sum' as const, periodMs: 3 * MINUTE_MS },
    ]
    const range = { fromMs: NOON_MS, toMs: NOON_MS + 3 * MINUTE_MS }
    const at = (minute: number, value: number) => ({ atMs: NOON_MS + minute * MINUTE_MS, value })
    expect(await reader.read(queries, range)).toEqual([[at(0, 3), at(1, 9), at(2, 5)], [], [at(0, 21)]])
    expect(await reader.read([query], { ...range, fromMs: NOON_MS + MINUTE_MS })).toEqual([[at(1, 9), at(2, 5)]])
    reader.close()
  })

  it('asks for more queries than one call takes in several', async () => {
    const reader = cloudWatchMetrics(config)
    const queries = Array.from({ length: 1001 }, (_, index) => (index % 500 === 0 ? query : { ...query, name: 'none' }))
    const found = await reader.read(queries, { fromMs: NOON_MS, toMs: NOON_MS + MINUTE_MS })
    expect(found.flatMap((points, index) => (points.length === 0 ? [] : [index]))).toEqual([0, 500, 1000])
    reader.close()
  })

  it('gives the newest first unless asked otherwise, and refuses what it does not know', async () => {
    const client = new CloudWatchClient(config)
    const Dimensions = Object.entries(METRIC.dimensions).map(([Name, Value]) => ({ Name, Value }))
    const stat = { Metric: { Namespace: 'N', MetricName: 'm', Dimensions }, Period: 60, Stat: 'Average' }
    const range = { StartTime: new Date(NOON_MS), EndTime: new Date(NOON_MS + 3 * MINUTE_MS) }
    const ask = (one: object) =>
      client.send(new GetMetricDataCommand({ ...range, MetricDataQueries: [{ Id: 'q0', ...one }] }))
    const { MetricDataResults } = await ask({ MetricStat: stat })
    expect(MetricDataResults?.[0]?.Values).toEqual([4.5, 9, 3])
    await expect(ask({ Expression: 'SUM(METRICS())' })).rejects.toThrow('The local cloud cannot answer this')
    await expect(ask({ MetricStat: { ...stat, Period: 10 } })).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    })
    client.destroy()
  })
})

describe('Lambda', () => {
  it('lists the mappings of a function, of a stream, and says where there is no such function', async () => {
    const client = new LambdaClient(config)
    const list = async (input: { FunctionName?: string; EventSourceArn?: string }) =>
      (await client.send(new ListEventSourceMappingsCommand(input))).EventSourceMappings?.length
    expect(await list({})).toBe(1)
    expect(await list({ FunctionName: 'shop-dev-recompute', EventSourceArn: mappingPlan?.streamArn ?? '' })).toBe(1)
    expect(await list({ FunctionName: mappingPlan?.functionArn ?? '' })).toBe(1)
    expect(await list({ FunctionName: 'shop-dev-serve' })).toBe(0)
    expect(await list({ EventSourceArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/other' })).toBe(0)
    await expect(list({ FunctionName: 'nobody' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName: 'shop-dev-recompute' }))
    expect(Configuration).toMatchObject({ FunctionName: 'shop-dev-recompute', Timeout: 10, State: 'Active' })
    client.destroy()
  })

  it('switches a mapping, one change after the other, and falls back where it fails', async () => {
    const functions = lambdaFunctions(config)
    const id = mappingPlan?.uuid ?? ''
    const state = async () => (await functions.mapping(id)).state
    expect(await functions.setEnabled(id, true)).toBe('accepted')
    expect(await state()).toBe('Enabled')
    expect(await functions.setEnabled(id, false)).toBe('accepted')
    expect(await state()).toBe('Disabling')
    expect(await functions.setEnabled(id, true)).toBe('in-use')
    settle()
    await expect.poll(state).toBe('Disabled')
    expect((await functions.mapping(id)).changedMs).toBe(NOON_MS)
    await functions.setEnabled(id, true)
    settle(new Error('the stream is gone'))
    await expect.poll(state).toBe('Disabled')
    await expect(functions.setEnabled('nobody', true)).rejects.toMatchObject({ code: 'mapping-missing' })
    functions.close()
  })

  it('changes nothing else of a mapping', async () => {
    const client = new LambdaClient(config)
    const change = { UUID: mappingPlan?.uuid ?? '', Enabled: true, BatchSize: 5 }
    await expect(client.send(new UpdateEventSourceMappingCommand(change))).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    })
    client.destroy()
  })

  it('finds a function or says that it is not deployed', async () => {
    const functions = lambdaFunctions(config)
    expect(await functions.find('shop-dev-recompute')).toEqual({ updatedMs: undefined })
    expect(await functions.find('nobody')).toBeUndefined()
    functions.close()
  })
})
