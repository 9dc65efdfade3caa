// How many different values: their hashes while they are few, HyperLogLog beyond. Which of the two a cell is follows from the set of
// values alone, and so do its registers, so that order leaves no trace.
// Registers after Flajolet et al., "HyperLogLog" (2007); the estimate is the improved one of Ertl, "New cardinality estimation
// algorithms for HyperLogLog sketches" (2017), which needs no table of corrections and has no bias between small and large.
import { sha256Hex } from '../../platform/hash.ts'
import type { Aggregator, Gatherer, Slot } from './aggregator.ts'

/** 48 bits of SHA-256: among 512 values two are taken for one with a probability of 5 in 10^10. */
const HASH_HEX_DIGITS = 12
/** Of base64url. */
const HASH_CHARACTERS = 8
const INDEX_BITS = 10
const REGISTERS = 2 ** INDEX_BITS
const RANK_BITS = 48 - INDEX_BITS
/** 1.04 / √registers, the standard error of the estimate: 3.25 %. */
export const DISTINCT_STANDARD_ERROR = 1.04 / Math.sqrt(REGISTERS)

/** One character a register: ranks are 0 to 39. */
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const REGISTERS_MARK = '~'
const EMPTY = REGISTERS_MARK + '0'.repeat(REGISTERS)
const RANK_OF_CODE = new Uint8Array(128)
for (let rank = 0; rank < ALPHABET.length; rank++) RANK_OF_CODE[ALPHABET.charCodeAt(rank)] = rank

/** One slot, a text: hashes side by side, ascending, 8 characters each (base64url of 6 bytes); or `~` and the registers. */
export function distinctAggregator(exactTo: number): Aggregator {
  return {
    width: 1,
    cellOf: value => [hashOf(String(value))],
    merge: (target, at, source, from) => {
      target[at] = mergeSets(textOf(target[at]), textOf(source[from]), exactTo)
    },
    gatherer: () => setsGatherer(exactTo),
  }
}

function setsGatherer(exactTo: number): Gatherer {
  const hashes = new Set<string>()
  let registers: string | undefined
  let before = ''
  return {
    add: (source, from) => {
      const text = textOf(source[from])
      if (text === before) return
      before = text
      if (isRegisters(text)) registers = registers === undefined ? text : mergeRegisters(registers, text)
      else for (const hash of hashesOf(text)) hashes.add(hash)
    },
    cell: () => {
      if (hashes.size === 0) return registers === undefined ? undefined : [registers]
      return [mergeSets([...hashes].sort().join(''), registers ?? '', exactTo)]
    },
  }
}

/** The number of values, a whole number. */
export function distinctCount(slot: Slot | undefined): number {
  const text = textOf(slot)
  return isRegisters(text) ? Math.round(estimate(text)) : text.length / HASH_CHARACTERS
}

function hashOf(text: string): string {
  return Buffer.from(sha256Hex(text).slice(0, HASH_HEX_DIGITS), 'hex').toString('base64url')
}

function textOf(slot: Slot | undefined): string {
  return typeof slot === 'string' ? slot : ''
}

function isRegisters(text: string): boolean {
  return text.startsWith(REGISTERS_MARK)
}

function hashesOf(text: string): readonly string[] {
  const hashes: string[] = []
  for (let from = 0; from < text.length; from += HASH_CHARACTERS) hashes.push(text.slice(from, from + HASH_CHARACTERS))
  return hashes
}

function mergeSets(a: string, b: string, exactTo: number): string {
  if (isRegisters(a)) return isRegisters(b) ? mergeRegisters(a, b) : withHashes(a, hashesOf(b))
  if (isRegisters(b)) return withHashes(b, hashesOf(a))
  const union = a === b ? hashesOf(a) : [...new Set([...hashesOf(a), ...hashesOf(b)])].sort()
  return union.length > exactTo ? withHashes(EMPTY, union) : union.join('')
}

/** Mostly a register says as much already, and the text stays as it is. */
function withHashes(registers: string, hashes: readonly string[]): string {
  let changed: Buffer | undefined
  for (const hash of hashes) {
    const bits = Buffer.from(hash, 'base64url').readUIntBE(0, 6)
    const place = REGISTERS_MARK.length + Math.floor(bits / 2 ** RANK_BITS)
    const rank = rankOf(bits % 2 ** RANK_BITS)
    if (rank <= (RANK_OF_CODE[changed?.[place] ?? registers.charCodeAt(place)] ?? 0)) continue
    changed ??= Buffer.from(registers, 'latin1')
    changed[place] = ALPHABET.charCodeAt(rank)
  }
  return changed === undefined ? registers : changed.toString('latin1')
}

/** One more than the zeros at its head. */
function rankOf(rest: number): number {
  return rest === 0 ? RANK_BITS + 1 : RANK_BITS - Math.floor(Math.log2(rest))
}

function mergeRegisters(a: string, b: string): string {
  if (a === b) return a
  const merged = Buffer.from(a, 'latin1')
  for (let index = 0; index < REGISTERS; index++) {
    if (rankAt(b, index) > rankAt(a, index)) {
      merged[REGISTERS_MARK.length + index] = b.charCodeAt(REGISTERS_MARK.length + index)
    }
  }
  return merged.toString('latin1')
}

function rankAt(registers: string, index: number): number {
  return RANK_OF_CODE[registers.charCodeAt(REGISTERS_MARK.length + index)] ?? 0
}

function estimate(registers: string): number {
  const counts = Array.from({ length: RANK_BITS + 2 }, () => 0)
  for (let index = 0; index < REGISTERS; index++) {
    const rank = rankAt(registers, index)
    counts[rank] = (counts[rank] ?? 0) + 1
  }
  let z = REGISTERS * tau(1 - (counts[RANK_BITS + 1] ?? 0) / REGISTERS)
  for (let rank = RANK_BITS; rank >= 1; rank--) z = 0.5 * (z + (counts[rank] ?? 0))
  z += REGISTERS * sigma((counts[0] ?? 0) / REGISTERS)
  return REGISTERS ** 2 / (2 * Math.LN2 * z)
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY
  let [x, y, z, before] = [share, 1, share, -1]
  while (z !== before) {
    x *= x
    before = z
    z += x * y
    y += y
  }
  return z
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let [x, y, z, before] = [share, 1, 1 - share, -1]
  while (z !== before) {
    x = Math.sqrt(x)
    before = z
    y *= 0.5
    z -= (1 - x) ** 2 * y
  }
  return z / 3
}
