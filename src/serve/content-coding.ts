// Which coding to answer in (RFC 9110, 12.5.3). Stored bodies are zlib already, so at equal weight the coding that costs
// least wins: zlib as it is, then gzip by re-wrapping it, then identity, which must be inflated.

/** HTTP's `deflate` is the zlib format (RFC 9110, 8.4.1.2). */
export type Coding = 'deflate' | 'gzip' | 'identity'

const BY_COST: readonly Coding[] = ['deflate', 'gzip', 'identity']
/** RFC 9110, 12.4.2: at most three decimals, at most 1. */
const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
/** Identity is acceptable when nobody names it, but after everything that is named: below the least weight, 0.001. */
const UNNAMED_IDENTITY_WEIGHT = 0.0001

/** The coding for a value of Accept-Encoding, undefined where the client rules all of them out. */
export function chooseCoding(acceptEncoding: string | undefined): Coding | undefined {
  // Without the header any coding may be sent; who does not send it usually cannot decode.
  if (acceptEncoding === undefined) return 'identity'
  const weights = parseAcceptEncoding(acceptEncoding)
  let best: Coding | undefined
  let bestWeight = 0
  for (const coding of BY_COST) {
    const weight = weightOf(coding, weights)
    if (weight > bestWeight) {
      best = coding
      bestWeight = weight
    }
  }
  return best
}

function weightOf(coding: Coding, weights: ReadonlyMap<string, number>): number {
  const named = weights.get(coding) ?? weights.get('*')
  if (named !== undefined) return named
  return coding === 'identity' ? UNNAMED_IDENTITY_WEIGHT : 0
}

/** Coding or '*' → weight. Members that are not of the grammar are ignored; of a coding named twice the last counts. */
export function parseAcceptEncoding(value: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>()
  for (const member of value.split(',')) {
    const [name, parameter, ...rest] = member.split(';').map(part => part.trim().toLowerCase())
    if (name === undefined || !TOKEN.test(name) || rest.length > 0) continue
    const weight = parameter === undefined ? 1 : parseWeight(parameter)
    // RFC 9110, 8.4.1.3: x-gzip is the same as gzip.
    if (weight !== undefined) weights.set(name === 'x-gzip' ? 'gzip' : name, weight)
  }
  return weights
}

function parseWeight(parameter: string): number | undefined {
  const text = parameter.startsWith('q=') ? parameter.slice(2) : ''
  return WEIGHT.test(text) ? Number(text) : undefined
}
