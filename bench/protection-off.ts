// The protection taken out of a copy of the code, part by part: every event is folded, nothing is remembered of it, and no sum is made or
// checked. What remains is a handler that reads, computes and writes the same features, to the byte.
import type { Patch } from '../test/simulation/planted/patched-copy.ts'

export interface ProtectionPart {
  readonly name: string
  /** That take it out. */
  readonly patches: readonly Patch[]
  /** Whether what is left computes what it did. */
  readonly isSame: boolean
}

/** The function is another one; what it was stays under another name, so that only the name must be as it is now. */
function replaceFunction(file: string, name: string, replacement: string): Patch {
  const find = `export function ${name}(`
  return { file, find, replace: `export function ${name}${replacement}\n\nexport function ${name}BeforeThePatch(` }
}

const NO_SUM = `{ length: 0, crc32: 0, plainLength: PLAIN_BYTES_MAX, plainCrc32: 0 }`
const NO_SUMS = `(..._: unknown[]) { const none = ${NO_SUM}; return { st: none, ft: none, pr: none, dedup: none } }`

const IDS: readonly Patch[] = [
  {
    file: 'src/affected/decide.ts',
    find: `    const type = this.#type(event.type)
    if (hasId(type, event.idHash)) return 'duplicate'`,
    replace: `    if (event.ts >= 0) return 'fold'
    const type = this.#type(event.type)
    if (hasId(type, event.idHash)) return 'duplicate'`,
  },
  replaceFunction('src/store/dedup-codec.ts', 'packDedup', '(..._: unknown[]) { return new Uint8Array(0) }'),
  replaceFunction(
    'src/store/dedup-codec.ts',
    'unpackDedup',
    '(..._: unknown[]) { return { types: new Map(), marks: new Map(), settledMs: undefined } }',
  ),
]

const SUMS: readonly Patch[] = [
  replaceFunction('src/store/checksums.ts', 'sumOfStored', `(..._: unknown[]) { return ${NO_SUM} }`),
  replaceFunction('src/store/checksums.ts', 'sumOfBlob', `(..._: unknown[]) { return ${NO_SUM} }`),
  replaceFunction('src/store/checksums.ts', 'packSums', '(..._: unknown[]) { return new Uint8Array(0) }'),
  replaceFunction('src/store/checksums.ts', 'checkHead', '(..._: unknown[]) { return }'),
  replaceFunction('src/store/checksums.ts', 'readSums', NO_SUMS),
  replaceFunction('src/store/checksums.ts', 'storedProblem', '(..._: unknown[]) { return undefined }'),
  replaceFunction('src/store/checksums.ts', 'plainProblem', '(..._: unknown[]) { return undefined }'),
]

/** Features need it too: of events of one instant it says which is the newest. Without it their order is chance's. */
const ID_HASH = replaceFunction(
  'src/platform/hash.ts',
  'eventIdHash',
  "(..._: unknown[]) { return '0000000000000000' }",
)

export const PROTECTION: ProtectionPart = { name: 'all of it', patches: [...IDS, ...SUMS], isSame: true }

export const PROTECTION_PARTS: readonly ProtectionPart[] = [
  { name: 'ids, floor and marks', patches: IDS, isSame: true },
  { name: 'checksums', patches: SUMS, isSame: true },
  { name: "all of it and the hash of an event's id", patches: [ID_HASH, ...IDS, ...SUMS], isSame: false },
]
