// GET and HEAD of one user, from API Gateway's event to its answer: what can be refused is refused before anything is read,
// then the item and the production pointers are looked up at once. User ids go to the store and nowhere else.
import { userIdProblem } from '../event/identity.ts'
import type { Clock } from '../platform/clock.ts'
import { MillraceError } from '../platform/errors.ts'
import { SpillMissingError } from '../store/errors.ts'
import type { SpillStore } from '../store/spill-store.ts'
import type { UserStore } from '../store/user-item.ts'
import { answerUser, type Batches, isAboutProduction, type UserQuestion } from './answer-user.ts'
import { type ApiGatewayEvent, type ApiGatewayResult, fitsAnswer, fromApiGateway, toApiGateway } from './api-gateway.ts'
import { type HttpRequest, type HttpResponse, isOfAuthorizer } from './http.ts'
import { problem } from './problem.ts'
import { VIEW_OF_ROUTE, type View } from './view.ts'

export interface ServeDeps extends Pick<UserQuestion, 'featuresAt' | 'predict' | 'definitions'> {
  /** None unless given. */
  readonly shadows?: ReadonlySet<string>
  /** Where no value is elsewhere, nobody has to be able to read one. */
  readonly spills?: Pick<SpillStore, 'read'> | undefined
  readonly load: UserStore['load']
  /** Batch IDs in production of the pipeline's models; a model without one is absent. */
  readonly productionBatches: () => Promise<Batches>
  readonly clock: Clock
  /** Gets what is behind a 5xx answer, for the log. */
  readonly report: (error: unknown) => void
}

const NO_SHADOWS: ReadonlySet<string> = new Set()

/** Never rejects: what goes wrong is a problem in the answer. */
export function serveHttp(deps: ServeDeps): (event: ApiGatewayEvent) => Promise<ApiGatewayResult> {
  return async event => toApiGateway(await serve(fromApiGateway(event), deps))
}

async function serve(request: HttpRequest, deps: ServeDeps): Promise<HttpResponse> {
  const view = VIEW_OF_ROUTE.get(request.route)
  if (view === undefined) return problem('route-unknown')
  const response = within(await answer(request, view, deps), view, deps)
  if (request.method !== 'HEAD') return response
  const { status, headers } = response
  return { status, headers }
}

/** Before a HEAD loses the body: it says what a GET would. */
function within(response: HttpResponse, view: View, { report }: ServeDeps): HttpResponse {
  if (fitsAnswer(response)) return response
  report(
    new MillraceError(
      `An answer of ${response.body?.length} bytes (${view}, ${codingOf(response)}) is longer than Lambda lets out`,
      {
        code: 'answer-too-big',
        next: 'Large values of several models add up: have them say less, or keep what nobody asks for by GET to snapshots.',
      },
    ),
  )
  return problem('answer-too-big')
}

function codingOf({ headers }: HttpResponse): string {
  return headers['content-encoding'] ?? 'identity'
}

async function answer(request: HttpRequest, view: View, deps: ServeDeps): Promise<HttpResponse> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return problem('method-not-allowed', { headers: { allow: 'GET, HEAD' } })
  }
  const userId = request.path.get('userId') ?? ''
  if (userIdProblem(userId) !== undefined) return problem('user-id-invalid')
  if (![...request.query].every(isKnownParameter)) return problem('query-invalid')
  try {
    const [item, production] = await Promise.all([
      deps.load(userId),
      isAboutProduction({ request, view }) ? deps.productionBatches() : {},
    ])
    const { shadows = NO_SHADOWS } = deps
    const readSpill = spillReader(deps)
    return await answerUser({ ...deps, shadows, readSpill, request, view, item, production, nowMs: deps.clock() })
  } catch (error) {
    deps.report(error)
    return toProblem(error)
  }
}

/** A value that is not to be had is evaluated in the request; why it is not is for the log. */
function spillReader({ spills, report }: ServeDeps): UserQuestion['readSpill'] {
  return async spilled => {
    try {
      const value = await spills?.read(spilled)
      if (value === undefined) report(new SpillMissingError(spilled.key))
      return value
    } catch (error) {
      report(error)
      return undefined
    }
  }
}

function isKnownParameter([name, value]: readonly [string, string]): boolean {
  return (name === 'at' && value === 'stored') || isOfAuthorizer(name)
}

function toProblem(error: unknown): HttpResponse {
  if (!(error instanceof MillraceError)) return problem('internal')
  if (error.code === 'item-corrupt') return problem('item-corrupt')
  return problem(error.retriable ? 'store-unavailable' : 'internal')
}
