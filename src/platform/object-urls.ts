// The port for URLs of single objects, handed to who has no rights of its own: S3's presigned ones in production.

export interface ObjectUrls {
  get(key: string, expiresInSeconds: number): Promise<string>
  /** For a PUT of exactly these bytes, and only where there is no such object yet. */
  create(key: string, object: ObjectToCreate, expiresInSeconds: number): Promise<CreateUrl>
}

export interface ObjectToCreate {
  readonly contentType: string
  readonly bytes: number
  /** Hex. */
  readonly sha256: string
}

export interface CreateUrl {
  readonly url: string
  /** To be sent with the PUT, all of them. */
  readonly headers: Readonly<Record<string, string>>
}
