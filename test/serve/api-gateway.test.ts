// Events of API Gateway's payload format 2.0 to requests and back: nothing decoded twice, nothing binary sent as text.
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ApiGatewayEvent, fitsAnswer, fromApiGateway, toApiGateway } from '../../src/serve/api-gateway.ts'

/** As documented for payload format 2.0. */
const EVENT: APIGatewayProxyEventV2 = {
  version: '2.0',
  routeKey: 'GET /users/{userId}/features',
  rawPath: '/users/50%off/features',
  rawQueryString: 'at=stored',
  headers: { 'Accept-Encoding': 'gzip', 'if-none-match': '"a","b"' },
  queryStringParameters: { at: 'stored' },
  pathParameters: { userId: '50%25off' },
  requestContext: {
    accountId: '123456789012',
    apiId: 'api',
    domainName: 'api.execute-api.eu-central-1.amazonaws.com',
    domainPrefix: 'api',
    http: { method: 'GET', path: '/', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
    requestId: 'id',
    routeKey: 'GET /users/{userId}/features',
    stage: '$default',
    time: '01/Jan/2026:00:00:00 +0000',
    timeEpoch: 1767225600000,
  },
  isBase64Encoded: false,
}

describe('fromApiGateway', () => {
  it("reads an event of AWS's own type, names in lower case, path parameters as they are", () => {
    // Assignable: what we read is there in what AWS documents. exactOptionalPropertyTypes needs the cast for `undefined`.
    const request = fromApiGateway(EVENT as ApiGatewayEvent)
    expect(request).toMatchObject({ method: 'GET', route: '/users/{userId}/features' })
    expect(request.path.get('userId')).toBe('50%25off')
    expect(request.headers.get('accept-encoding')).toBe('gzip')
    expect(request.headers.get('if-none-match')).toBe('"a","b"')
    expect(request.query.get('at')).toBe('stored')
    expect(request.body).toHaveLength(0)
  })

  it('reads text and base64 bodies as bytes', () => {
    const text = fromApiGateway({ ...(EVENT as ApiGatewayEvent), body: 'ü' })
    const binary = fromApiGateway({ ...(EVENT as ApiGatewayEvent), body: 'w7w=', isBase64Encoded: true })
    expect([...text.body]).toEqual([0xc3, 0xbc])
    expect(binary.body).toEqual(text.body)
  })

  it('keeps a header or parameter named like a member of Object out of the prototype', () => {
    const headers = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>
    const request = fromApiGateway({ ...(EVENT as ApiGatewayEvent), headers })
    expect(request.headers.get('accept-encoding')).toBeUndefined()
    expect(request.headers.get('__proto__')).toBe('x')
  })
})

describe('toApiGateway', () => {
  it('sends text as it is, bytes as base64 and nothing as nothing', () => {
    const headers = { etag: '"a"' }
    const pool = Uint8Array.of(9, 0xff, 0, 0x80, 9)
    const results: APIGatewayProxyStructuredResultV2[] = [
      toApiGateway({ status: 200, headers, body: '{}' }),
      toApiGateway({ status: 200, headers, body: pool.subarray(1, 4) }),
      toApiGateway({ status: 304, headers }),
    ]
    expect(results).toEqual([
      { statusCode: 200, headers, body: '{}', isBase64Encoded: false },
      { statusCode: 200, headers, body: '/wCA', isBase64Encoded: true },
      { statusCode: 304, headers, body: '', isBase64Encoded: false },
    ])
  })
})

describe('fitsAnswer', () => {
  it('is whether the JSON that Lambda sends is within the limit, to the byte', () => {
    const body = fc.option(
      fc.oneof(fc.uint8Array({ maxLength: 50_000 }), fc.string({ unit: 'binary', maxLength: 5_000 })),
      {
        nil: undefined,
      },
    )
    fc.assert(
      fc.property(body, fc.constantFrom(-1, 0, 1), (made, off) => {
        const response = { status: 200, headers: { etag: '"a"' }, ...(made === undefined ? {} : { body: made }) }
        const bytes = Buffer.byteLength(JSON.stringify(toApiGateway(response)))
        expect(fitsAnswer(response, bytes + off)).toBe(off >= 0)
      }),
    )
  })
})
