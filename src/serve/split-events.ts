// The body of POST /events cut into its events, each as the very bytes that came in: parsing and writing them again would lose
// repeated keys and round large numbers before anybody could refuse them. Only the outer shape is read here; what stands
// between the cuts is judged event by event.

/** Only lines of JSON must be declared, and only where their first line may be broken. */
const NDJSON_TYPES: ReadonlySet<string> = new Set(['application/x-ndjson', 'application/ndjson', 'application/jsonl'])

const LINE_FEED = 0x0a
const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const ENVELOPE_KEY = Buffer.from('"events"')

export interface SplitOptions {
  readonly contentType?: string | undefined
  /** One event more than this at the most is cut: enough to see that there are too many. */
  readonly eventsMax: number
}

/** The events' bytes in order, or undefined where the outer shape cannot be read. Never throws. */
export function splitEvents(body: Uint8Array, options: SplitOptions): readonly Uint8Array[] | undefined {
  const mediaType = options.contentType?.split(';', 1)[0]?.trim().toLowerCase()
  if (mediaType !== undefined && NDJSON_TYPES.has(mediaType)) return lines(body, options)
  const start = skipSpace(body, 0)
  if (body[start] === OPEN_BRACKET) return cutList(body, start, { ...options, closers: [] })
  if (body[start] !== OPEN_BRACE) return undefined
  const end = endOfObject(body, start)
  if (end === undefined) return undefined
  if (skipSpace(body, end) < body.length) return lines(body, options)
  const list = startOfEnvelopedList(body, start)
  const enveloped = list === undefined ? undefined : cutList(body, list, { ...options, closers: [CLOSE_BRACE] })
  return enveloped ?? [body.subarray(start, end)]
}

function lines(body: Uint8Array, { eventsMax }: SplitOptions): readonly Uint8Array[] {
  const cut: Uint8Array[] = []
  for (let start = 0; start < body.length && cut.length <= eventsMax; ) {
    const feed = body.indexOf(LINE_FEED, start)
    const end = feed === -1 ? body.length : feed
    const line = trimmed(body, start, end)
    if (line.length > 0) cut.push(line)
    start = end + 1
  }
  return cut
}

/** `closers`: what must follow the list, and then nothing. */
function cutList(
  body: Uint8Array,
  start: number,
  { eventsMax, closers }: SplitOptions & { readonly closers: readonly number[] },
): readonly Uint8Array[] | undefined {
  const cut: Uint8Array[] = []
  let at = start
  do {
    const from = at + 1
    const end = endOfItem(body, from)
    if (end === undefined) return undefined
    const isEmptyList = at === start && body[end] === CLOSE_BRACKET && skipSpace(body, from) === end
    if (!isEmptyList) cut.push(trimmed(body, from, end))
    at = end
  } while (body[at] === COMMA && cut.length <= eventsMax)
  if (cut.length > eventsMax) return cut
  for (const closer of [CLOSE_BRACKET, ...closers]) {
    at = skipSpace(body, at)
    if (body[at++] !== closer) return undefined
  }
  return skipSpace(body, at) === body.length ? cut : undefined
}

/** Where the list of `{"events":[…` starts, undefined where the object is another one. */
function startOfEnvelopedList(body: Uint8Array, start: number): number | undefined {
  const key = skipSpace(body, start + 1)
  const afterKey = key + ENVELOPE_KEY.length
  if (!ENVELOPE_KEY.equals(body.subarray(key, afterKey))) return undefined
  const colon = skipSpace(body, afterKey)
  const list = skipSpace(body, colon + 1)
  return body[colon] === COLON && body[list] === OPEN_BRACKET ? list : undefined
}

/** The index after the brace that closes the object. */
function endOfObject(body: Uint8Array, start: number): number | undefined {
  let at: number | undefined = start
  do at = endOfItem(body, at + 1)
  while (at !== undefined && body[at] === COMMA)
  return at === undefined ? undefined : at + 1
}

/** The index of the comma or closing bracket that ends an item of the list or object around it. */
function endOfItem(body: Uint8Array, from: number): number | undefined {
  let depth = 0
  for (let at = from; at < body.length; at++) {
    const byte = body[at]
    if (byte === QUOTE) at = endOfText(body, at)
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) depth++
    else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
      if (depth === 0) return at
      depth--
    } else if (byte === COMMA && depth === 0) return at
  }
  return undefined
}

/** The index of the closing quote, or of the end of the body. */
function endOfText(body: Uint8Array, start: number): number {
  let at = start + 1
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1
  return at
}

function trimmed(body: Uint8Array, from: number, end: number): Uint8Array {
  const start = skipSpace(body, from, end)
  let last = end
  while (last > start && isSpace(body[last - 1])) last--
  return body.subarray(start, last)
}

/** Bounded by `end`, so that lines without anything on them cost one look at each byte. */
function skipSpace(body: Uint8Array, from: number, end: number = body.length): number {
  let at = from
  while (at < end && isSpace(body[at])) at++
  return at
}

/** RFC 8259, section 2. */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === LINE_FEED || byte === 0x0d
}
