import { describe, expect, it } from 'vitest'
import { apiEvent, type ApiRequest, apiResponse } from '../../localstack/http-api-event.ts'

const REQUEST: ApiRequest = {
  method: 'POST',
  url: '/users/a%20b?at=now&x=1&x=2%20',
  headers: { host: 'localhost:4566', 'content-type': 'application/json', cookie: 'a=1; b=2', 'user-agent': 'test' },
  body: Buffer.from('{"a":"ü"}'),
  sourceIp: '127.0.0.1',
  requestId: 'request',
  timeMs: Date.UTC(2020, 2, 12, 19, 3, 58),
  routeKey: 'POST /users/{userId}',
  apiId: 'HttpApi',
  pathParameters: { userId: 'a b' },
}

describe('apiEvent', () => {
  it('has the members of payload format 2.0', () => {
    expect(apiEvent(REQUEST)).toEqual({
      version: '2.0',
      routeKey: 'POST /users/{userId}',
      rawPath: '/users/a b',
      rawQueryString: 'at=now&x=1&x=2%20',
      cookies: ['a=1', 'b=2'],
      headers: { host: 'localhost:4566', 'content-type': 'application/json', 'user-agent': 'test' },
      queryStringParameters: { at: 'now', x: '1,2 ' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'HttpApi',
        domainName: 'localhost:4566',
        domainPrefix: 'HttpApi',
        http: { method: 'POST', path: '/users/a b', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
        requestId: 'request',
        routeKey: 'POST /users/{userId}',
        stage: '$default',
        time: '12/Mar/2020:19:03:58 +0000',
        timeEpoch: 1584039838000,
      },
      pathParameters: { userId: 'a b' },
      body: '{"a":"ü"}',
      isBase64Encoded: false,
    })
  })

  it.each([
    ['another type', { 'content-type': 'application/octet-stream' }, Buffer.from('text')],
    ['a content coding', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, Buffer.from('text')],
    ['bytes that are not UTF-8', { 'content-type': 'application/json' }, Buffer.from([0xff, 0xfe])],
    ['no type', {}, Buffer.from('text')],
  ])('gives a body with %s as base64', (_name, headers, body) => {
    expect(apiEvent({ ...REQUEST, headers, body })).toMatchObject({
      isBase64Encoded: true,
      body: body.toString('base64'),
    })
  })

  it('leaves out what is not there', () => {
    const event = apiEvent({ ...REQUEST, url: '/events', headers: {}, body: Buffer.alloc(0), pathParameters: {} })
    for (const name of ['body', 'cookies', 'pathParameters', 'queryStringParameters'])
      expect(event).not.toHaveProperty(name)
  })
})

describe('apiResponse', () => {
  it('decodes a base64 body and keeps headers, in lower case', () => {
    const response = apiResponse({
      statusCode: 200,
      headers: { ETag: '"x"', 'Content-Type': 'application/octet-stream' },
      cookies: ['a=1'],
      body: Buffer.from([0, 255, 1]).toString('base64'),
      isBase64Encoded: true,
    })
    expect(response).toEqual({
      status: 200,
      headers: { etag: '"x"', 'content-type': 'application/octet-stream', 'set-cookie': ['a=1'] },
      body: Buffer.from([0, 255, 1]),
    })
  })

  it('takes a result without a status code for the body', () => {
    const json = { 'content-type': 'application/json' }
    expect(apiResponse({ a: 1 })).toEqual({ status: 200, headers: json, body: Buffer.from('{"a":1}') })
    expect(apiResponse('text')).toEqual({ status: 200, headers: json, body: Buffer.from('text') })
  })

  it.each([
    { statusCode: 'ok' },
    { statusCode: 99 },
    { statusCode: 200, body: 5 },
    { statusCode: 200, headers: 'none' },
  ])('knows a malformed result: %o', result => {
    expect(apiResponse(result)).toBeUndefined()
  })
})
