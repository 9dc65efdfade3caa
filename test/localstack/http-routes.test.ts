import { describe, expect, it } from 'vitest'
import { matchRoute } from '../../localstack/http-routes.ts'

const ROUTES = [
  '$default',
  'ANY /files/{path+}',
  'GET /users/{userId}',
  'GET /users/{userId}/features',
  'GET /users/me',
  'ANY /users/{userId}',
  'POST /events',
].map(routeKey => ({ routeKey }))

const match = (method: string, path: string, routes = ROUTES) => {
  const found = matchRoute(method, path, routes)
  return found === undefined ? undefined : [found.route.routeKey, { ...found.pathParameters }]
}

describe('matchRoute', () => {
  it.each([
    ['GET', '/users/ana/features', 'GET /users/{userId}/features', { userId: 'ana' }],
    ['GET', '/users/a%20b%3Fc%25', 'GET /users/{userId}', { userId: 'a b?c%' }],
    ['GET', '/users/me', 'GET /users/me', {}],
    ['PUT', '/users/me', 'ANY /users/{userId}', { userId: 'me' }],
    ['GET', '/files/a/b%20c', 'ANY /files/{path+}', { path: 'a/b c' }],
    ['POST', '/events', 'POST /events', {}],
    ['GET', '/elsewhere', '$default', {}],
    ['GET', '/users/', '$default', {}],
    ['GET', '/users/ana/features/x', '$default', {}],
  ])('leads %s %s to %s', (method, path, routeKey, pathParameters) => {
    expect(match(method, path)).toEqual([routeKey, pathParameters])
  })

  it('finds nothing without a default, for another method, or for a path that is not percent-encoded', () => {
    const routes = ROUTES.filter(({ routeKey }) => routeKey === 'POST /events' || routeKey === 'GET /users/{userId}')
    expect(match('GET', '/events', routes)).toBeUndefined()
    expect(match('GET', '/users/%E0%A4%A', routes)).toBeUndefined()
  })

  it('keeps a variable named like a prototype member apart from the prototype', () => {
    const found = matchRoute('GET', '/x/y', [{ routeKey: 'GET /x/{__proto__}' }])
    expect(Object.entries(found?.pathParameters ?? {})).toEqual([['__proto__', 'y']])
  })
})
