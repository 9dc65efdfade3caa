// An HTTP answer as metrics: its status, and for a user's whether it is what was stored or was evaluated for the request.
import type { ApiGatewayResult } from '../serve/api-gateway.ts'
import type { Telemetry } from './telemetry.ts'

/** The answer, unchanged. */
export function reportAnswer(answer: ApiGatewayResult, telemetry: Telemetry): ApiGatewayResult {
  telemetry.count(`answer.${answer.statusCode}`, 1)
  const source = answer.headers['millrace-source']
  if (source === 'stored') telemetry.count('answersStored', 1)
  if (source === 'evaluated') telemetry.count('answersEvaluated', 1)
  return answer
}
