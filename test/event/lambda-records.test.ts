import { describe, expect, it } from 'vitest'
import { LambdaEventError, lambdaRecords } from '../../src/event/lambda-records.ts'

const SEQUENCE = '49590338271490256608559692538361571095921575989136588898'

function invocation(changes: { kinesis?: object; record?: object } = {}) {
  return {
    Records: [
      {
        kinesis: {
          kinesisSchemaVersion: '1.0',
          partitionKey: 'u-1',
          sequenceNumber: SEQUENCE,
          data: 'e30=',
          approximateArrivalTimestamp: 1545084650.987,
          ...changes.kinesis,
        },
        eventSource: 'aws:kinesis',
        eventVersion: '1.0',
        eventID: `shardId-000000000006:${SEQUENCE}`,
        eventName: 'aws:kinesis:record',
        awsRegion: 'us-east-2',
        eventSourceARN: 'arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream',
        ...changes.record,
      },
    ],
  }
}

describe("Lambda's Kinesis event", () => {
  it('becomes stream records', () => {
    expect(lambdaRecords(invocation(), { streamEpoch: 3 })).toEqual([
      {
        stream: 'lambda-stream@3',
        shard: 'shardId-000000000006',
        sequence: SEQUENCE,
        arrivalMs: 1545084650987,
        partitionKey: 'u-1',
        dataBase64: 'e30=',
      },
    ])
  })

  it.each([
    'arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream/consumer/app:1545084650',
    'arn:aws-cn:kinesis:cn-north-1:123456789012:stream/lambda-stream',
    'arn:aws:kinesis:us-east-1:000000000000:stream/lambda-stream',
  ])('names the stream of %s', eventSourceARN => {
    const [record] = lambdaRecords(invocation({ record: { eventSourceARN } }), { streamEpoch: 1 })
    expect(record?.stream).toBe('lambda-stream@1')
  })

  it.each([
    [1545084650.987, 1545084650987],
    [1545084650.9868, 1545084650987],
    [1545084651, 1545084651000],
  ])('rounds the arrival at %d s to the millisecond', (approximateArrivalTimestamp, arrivalMs) => {
    const [record] = lambdaRecords(invocation({ kinesis: { approximateArrivalTimestamp } }), { streamEpoch: 1 })
    expect(record?.arrivalMs).toBe(arrivalMs)
  })

  it.each([
    ['no batch', {}],
    ['nothing', undefined],
    ['a batch of something else', { Records: [{ messageId: '1', body: '{}' }] }],
    ['another source', invocation({ record: { eventSourceARN: 'arn:aws:sqs:us-east-2:123456789012:queue' } })],
    ['an event id without a shard', invocation({ record: { eventID: SEQUENCE } })],
    ['a sequence that is not a number', invocation({ kinesis: { sequenceNumber: '4x' } })],
    ['a sequence with leading zeros', invocation({ kinesis: { sequenceNumber: `0${SEQUENCE.slice(1)}` } })],
    ['an arrival that is text', invocation({ kinesis: { approximateArrivalTimestamp: '1545084650' } })],
    ['no data', invocation({ kinesis: { data: undefined } })],
  ])('throws on %s', (_what, event) => {
    expect(() => lambdaRecords(event, { streamEpoch: 1 })).toThrow(LambdaEventError)
  })
})
