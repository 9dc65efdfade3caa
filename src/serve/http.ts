// A request and a response as the handlers see them, whatever carried them: API Gateway, the local cloud, a test.

export interface HttpRequest {
  /** Upper case: `GET`. */
  readonly method: string
  /** The route's template as declared, such as `/users/{userId}/features`. */
  readonly route: string
  /** Decoded path parameters. */
  readonly path: ReadonlyMap<string, string>
  /** Lower-case names; a header sent twice arrives as one value joined by commas. */
  readonly headers: ReadonlyMap<string, string>
  /** Decoded query parameters. */
  readonly query: ReadonlyMap<string, string>
  readonly body: Uint8Array
}

export interface HttpResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Absent: nothing is sent, as for HEAD and 304. */
  readonly body?: string | Uint8Array
}

/** A signature in the query (SigV4, presigned) is the authorizer's, not ours to know or to refuse. */
export function isOfAuthorizer(parameter: string): boolean {
  return parameter.toLowerCase().startsWith('x-amz-')
}
