// The catalogue over HTTP, for languages without an AWS client: what is there, and batches by URLs of their parts, read from S3 and
// written to it directly. API Gateway's event in, its answer out.
import type { Catalog } from '../catalog/catalog.ts'
import { CatalogError } from '../catalog/errors.ts'
import { parseTableName, type TableRef } from '../catalog/names.ts'
import type { Clock } from '../platform/clock.ts'
import type { ObjectUrls } from '../platform/object-urls.ts'
import type { Random } from '../platform/random.ts'
import { type ApiGatewayEvent, type ApiGatewayResult, fitsAnswer, fromApiGateway, toApiGateway } from './api-gateway.ts'
import { catalogProblem } from './catalog-problem.ts'
import { answerBatch, answerHistory, answerTable, answerTables } from './catalog-reads.ts'
import { commitUploads, planUploads, putTable, rollBack } from './catalog-writes.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import { problem } from './problem.ts'

export interface CatalogHttpDeps {
  readonly catalog: Catalog
  readonly urls: ObjectUrls
  /** Databases and tables (`db.table`) that only Millrace itself writes: nobody commits a model past its gates. */
  readonly reserved: ReadonlySet<string>
  readonly clock: Clock
  readonly random: Random
  /** Gets what is behind a 5xx answer, for the log. */
  readonly report: (error: unknown) => void
}

export interface TableRequest {
  readonly request: HttpRequest
  readonly ref: TableRef
}

type Answer = (deps: CatalogHttpDeps, request: TableRequest) => Promise<unknown>

/** `{table}` is `db.table`; a partition has slashes, so it is in the query or the body. */
const ROUTES: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['GET /catalog/tables/{table}', answerTable],
  ['PUT /catalog/tables/{table}', putTable],
  ['GET /catalog/tables/{table}/history', answerHistory],
  ['GET /catalog/tables/{table}/batch', answerBatch],
  ['POST /catalog/tables/{table}/uploads', planUploads],
  ['POST /catalog/tables/{table}/commits', commitUploads],
  ['POST /catalog/tables/{table}/rollbacks', rollBack],
])

/** Never rejects: what goes wrong is a problem in the answer. */
export function catalogHttp(deps: CatalogHttpDeps): (event: ApiGatewayEvent) => Promise<ApiGatewayResult> {
  return async event => toApiGateway(await answer(fromApiGateway(event), deps))
}

async function answer(request: HttpRequest, deps: CatalogHttpDeps): Promise<HttpResponse> {
  try {
    const { method, route } = request
    if (method === 'GET' && route === '/catalog/tables') return json(await answerTables(deps))
    const handle = ROUTES.get(`${method} ${route}`)
    if (handle === undefined) return problem('route-unknown')
    return json(await handle(deps, { request, ref: parseTableName(request.path.get('table') ?? '') }))
  } catch (error) {
    const response = catalogProblem(error)
    if (response.status >= 500) deps.report(error)
    return response
  }
}

/** Throws CatalogError `answer-too-big`. */
function json(body: unknown): HttpResponse {
  const response = {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(body),
  }
  if (fitsAnswer(response)) return response
  throw new CatalogError('The answer is longer than a function may give: 6 MB', {
    code: 'answer-too-big',
    next: 'Ask for fewer parts: of a batch a later firstPart, of an upload fewer at once. Or use the Python client, which reads DynamoDB and S3 itself.',
  })
}
