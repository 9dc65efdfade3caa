// Which route of an HTTP API a request meets, as API Gateway chooses: a full match before one with variables, those before a
// greedy one, `$default` last.
export interface Route {
  /** `GET /users/{userId}`, `ANY /files/{path+}` or `$default` */
  readonly routeKey: string
}

export interface RouteMatch<R extends Route> {
  readonly route: R
  /** Percent-decoded. */
  readonly pathParameters: Readonly<Record<string, string>>
}

/** Undefined where no route fits, or where the path is not properly percent-encoded. */
export function matchRoute<R extends Route>(
  method: string,
  path: string,
  routes: readonly R[],
): RouteMatch<R> | undefined {
  const segments = decodeSegments(path)
  if (segments === undefined) return undefined
  let best: (RouteMatch<R> & { readonly rank: number }) | undefined
  for (const route of routes) {
    const match = matchOne(method, segments, route.routeKey)
    if (match !== undefined && (best === undefined || match.rank < best.rank)) best = { route, ...match }
  }
  return best === undefined ? undefined : { route: best.route, pathParameters: best.pathParameters }
}

function decodeSegments(path: string): string[] | undefined {
  try {
    return path.split('/').slice(1).map(decodeURIComponent)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

/** Ranks of matches, the lower the better; a route for one method goes before the same for any. */
const RANK = { full: 0, variables: 2, greedy: 4, default: 6 }

function matchOne(
  method: string,
  segments: readonly string[],
  routeKey: string,
): { readonly rank: number; readonly pathParameters: Record<string, string> } | undefined {
  if (routeKey === '$default') return { rank: RANK.default, pathParameters: {} }
  const [routeMethod = '', template = ''] = routeKey.split(' ')
  if (routeMethod !== method && routeMethod !== 'ANY') return undefined
  const pathParameters: Record<string, string> = Object.create(null)
  let rank = RANK.full + (routeMethod === 'ANY' ? 1 : 0)
  const pattern = template.split('/').slice(1)
  for (const [index, part] of pattern.entries()) {
    const variable = /^\{([^}+]+)(\+?)\}$/.exec(part)
    const segment = segments[index]
    if (segment === undefined || segment === '') return undefined
    if (variable?.[1] === undefined) {
      if (segment !== part) return undefined
    } else if (variable[2] === '+') {
      pathParameters[variable[1]] = segments.slice(index).join('/')
      return { rank: rank + RANK.greedy, pathParameters }
    } else {
      pathParameters[variable[1]] = segment
    }
  }
  if (segments.length !== pattern.length) return undefined
  if (Object.keys(pathParameters).length > 0) rank += RANK.variables
  return { rank, pathParameters }
}
