// Payload format 2.0 of API Gateway's HTTP APIs in both directions: a request as the event that a function gets, and what it
// returns as a response.
import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { isObject } from './resolve-intrinsics.ts'
import { ACCOUNT_ID } from './resource-identity.ts'

export interface ApiRequest {
  readonly method: string
  /** Path and query as they came. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly sourceIp: string
  readonly requestId: string
  readonly timeMs: number
  readonly routeKey: string
  readonly apiId: string
  readonly pathParameters: Readonly<Record<string, string>>
}

/** Bodies of these types reach a function as text, all others as base64. */
const TEXT_TYPES = /^(text\/|application\/(json|javascript|xml|[\w.-]+\+json|[\w.-]+\+xml)\b)/i

export function apiEvent(request: ApiRequest): object {
  const [path = '/', query = ''] = splitOnce(request.url, '?')
  const { cookie, ...headers } = request.headers
  const rawPath = decodeURIComponent(path)
  const isText = isTextBody(request)
  return {
    version: '2.0',
    routeKey: request.routeKey,
    rawPath,
    rawQueryString: query,
    ...(cookie === undefined ? {} : { cookies: cookie.split(/; */) }),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(',')])),
    ...(query === '' ? {} : { queryStringParameters: queryParameters(query) }),
    requestContext: {
      accountId: ACCOUNT_ID,
      apiId: request.apiId,
      domainName: request.headers.host ?? '',
      domainPrefix: request.apiId,
      http: {
        method: request.method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: request.sourceIp,
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: request.requestId,
      routeKey: request.routeKey,
      stage: '$default',
      time: commonLogTime(request.timeMs),
      timeEpoch: request.timeMs,
    },
    ...(Object.keys(request.pathParameters).length === 0 ? {} : { pathParameters: request.pathParameters }),
    ...(request.body.length === 0 ? {} : { body: request.body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: request.body.length > 0 && !isText,
  }
}

/** `12/Mar/2020:19:03:58 +0000` */
function commonLogTime(ms: number): string {
  const [, day, month, year, time] = new Date(ms).toUTCString().split(' ')
  return `${day}/${month}/${year}:${time} +0000`
}

function isTextBody({ headers, body }: ApiRequest): boolean {
  return headers['content-encoding'] === undefined && TEXT_TYPES.test(headers['content-type'] ?? '') && isUtf8(body)
}

/** Values of one name are joined by commas. */
function queryParameters(query: string): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null)
  for (const [name, value] of new URLSearchParams(query)) {
    parameters[name] = parameters[name] === undefined ? value : `${parameters[name]},${value}`
  }
  return parameters
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}

export interface ApiResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Buffer
}

/** Undefined where API Gateway would answer 500 for a malformed result. */
export function apiResponse(result: unknown): ApiResponse | undefined {
  if (!isObject(result) || result['statusCode'] === undefined) return inferredResponse(result)
  const { statusCode, headers = {}, cookies = [], body = '', isBase64Encoded = false } = result
  const status = Number(statusCode)
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined
  if (!isObject(headers) || typeof body !== 'string' || !Array.isArray(cookies)) return undefined
  const bytes = Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8')
  const lowerCase = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  )
  const defaultType =
    bytes.length > 0 && lowerCase['content-type'] === undefined ? { 'content-type': 'text/plain;charset=UTF-8' } : {}
  const setCookie = cookies.length > 0 ? { 'set-cookie': cookies.map(String) } : {}
  return { status, headers: { ...defaultType, ...lowerCase, ...setCookie }, body: bytes }
}

/** A result without a status code is the body itself, as JSON. */
function inferredResponse(result: unknown): ApiResponse {
  const body = typeof result === 'string' ? result : JSON.stringify(result)
  return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(body) }
}
