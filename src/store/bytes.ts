// Writing and strictly reading small binary layouts. The reader knows one way only to write a value, so whatever it accepts, the
// writer would write again byte for byte; everything else is a CorruptItemError, and it never reads past the end.
import { isUtf8 } from 'node:buffer'
import { CorruptItemError, invalidItem } from './errors.ts'

/** 2^53 − 1 in groups of 7 bits. */
const VARINT_BYTES_MAX = 8
const GROUP = 128
const INT32_MAX = 0x7fff_ffff
const FIRST_CAPACITY_BYTES = 4096
const ASCII_MAX = 127

/** What a hex digit in lower case stands for, by its character's code; 255: it is none. */
const NIBBLES = new Uint8Array(128).fill(255)
for (let value = 0; value < 16; value++) NIBBLES[value.toString(16).charCodeAt(0)] = value

/** Of the writer that has ended last: most write a few hundred bytes, and allocating costs more than that. */
let idleBuffer: Buffer | undefined
const EMPTY = Buffer.alloc(0)

export class ByteWriter {
  #buffer = takeIdleBuffer()
  #length = 0

  byte(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
  }

  /** A whole number from 0 to 2^53 − 1, 7 bits a byte, lowest first. */
  varint(value: number, what: string): void {
    if (!Number.isSafeInteger(value) || value < 0) throw invalidItem(`${what} is not a whole number from 0 to 2^53 - 1`)
    this.#reserve(VARINT_BYTES_MAX)
    let rest = value
    // Beyond 31 bits numbers are floating-point ones, which divide slowly.
    while (rest > INT32_MAX) {
      this.#buffer[this.#length++] = (rest % GROUP) + GROUP
      rest = Math.floor(rest / GROUP)
    }
    let low = rest | 0
    while (low >= GROUP) {
      this.#buffer[this.#length++] = (low & (GROUP - 1)) | GROUP
      low >>>= 7
    }
    this.#buffer[this.#length++] = low
  }

  /** An even number of digits in lower case; Node's own writing of a few bytes costs several times as much. */
  hex(digits: string, what: string): void {
    this.#reserve(digits.length / 2)
    for (let index = 0; index < digits.length; index += 2) {
      const high = NIBBLES[digits.charCodeAt(index)] ?? 255
      const low = NIBBLES[digits.charCodeAt(index + 1)] ?? 255
      if (high > 15 || low > 15) throw invalidItem(`${what} is not hex digits`)
      this.#buffer[this.#length++] = high * 16 + low
    }
  }

  /** Length, then UTF-8. */
  text(value: string, bytesMax: number, what: string): void {
    if (value.length <= bytesMax && this.#ascii(value)) return
    const bytes = Buffer.byteLength(value)
    if (bytes > bytesMax || !value.isWellFormed()) throw invalidItem(`${what} is not text of at most ${bytesMax} bytes`)
    this.varint(bytes, what)
    this.#reserve(bytes)
    this.#length += this.#buffer.write(value, this.#length, 'utf8')
  }

  /** A copy of what was written, of Node's pool: memory of its own would cost several times as much. The writer is not to be used any more. */
  finish(): Uint8Array {
    const written = Buffer.from(this.#buffer.subarray(0, this.#length))
    idleBuffer = this.#buffer
    this.#buffer = EMPTY
    this.#length = 0
    return written
  }

  /** Names are short and of ASCII nearly always, and Node's own writing of a few bytes costs several times as much. */
  #ascii(value: string): boolean {
    const start = this.#length
    this.varint(value.length, 'a length')
    this.#reserve(value.length)
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index)
      if (code > ASCII_MAX) {
        this.#length = start
        return false
      }
      this.#buffer[this.#length++] = code
    }
    return true
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#buffer.length, this.#length + bytes))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}

function takeIdleBuffer(): Buffer {
  const buffer = idleBuffer ?? Buffer.allocUnsafeSlow(FIRST_CAPACITY_BYTES)
  idleBuffer = undefined
  return buffer
}

export class ByteReader {
  readonly #buffer: Buffer
  readonly #name: string
  #position = 0
  /** All bytes as digits, from the first time that some are wanted: one call of Node's for many ids. */
  #digits: string | undefined

  /** `name`: the attribute, for messages. */
  constructor(bytes: Uint8Array, name: string) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#name = name
  }

  get remaining(): number {
    return this.#buffer.length - this.#position
  }

  byte(what: string): number {
    const value = this.#buffer[this.#position]
    if (value === undefined) throw this.corrupt(`ends before ${what}`)
    this.#position++
    return value
  }

  varint(what: string, max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0
    let unit = 1
    for (let count = 1; ; count++) {
      const byte = this.byte(what)
      value += (byte % GROUP) * unit
      if (byte < GROUP) {
        if (byte === 0 && count > 1) throw this.corrupt(`${what} is written longer than needed`)
        break
      }
      if (count === VARINT_BYTES_MAX) throw this.corrupt(`${what} is over 2^53 - 1`)
      unit *= GROUP
    }
    if (value > max) throw this.corrupt(`${what} is over ${max}`)
    return value
  }

  hex(bytes: number, what: string): string {
    const start = this.#advance(bytes, what)
    this.#digits ??= this.#buffer.toString('hex')
    return this.#digits.slice(2 * start, 2 * (start + bytes))
  }

  text(bytesMax: number, what: string): string {
    const length = this.varint(`the length of ${what}`, bytesMax)
    const start = this.#advance(length, what)
    const end = start + length
    if (this.#isAscii(start, end)) return this.#buffer.toString('latin1', start, end)
    const bytes = this.#buffer.subarray(start, end)
    if (!isUtf8(bytes)) throw this.corrupt(`${what} is not UTF-8`)
    return bytes.toString('utf8')
  }

  end(): void {
    if (this.remaining > 0) throw this.corrupt(`${this.remaining} bytes too many`)
  }

  corrupt(problem: string): CorruptItemError {
    return new CorruptItemError(`${this.#name}: ${problem}`)
  }

  #isAscii(start: number, end: number): boolean {
    for (let index = start; index < end; index++) if ((this.#buffer[index] as number) > ASCII_MAX) return false
    return true
  }

  /** Where the bytes begin. */
  #advance(bytes: number, what: string): number {
    if (bytes > this.remaining) throw this.corrupt(`ends before ${what}`)
    this.#position += bytes
    return this.#position - bytes
  }
}
