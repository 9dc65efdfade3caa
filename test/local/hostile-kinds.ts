// Every way to be wrong that has a name: how its record is made of a right order, and the reason that its dead letter must have. Some
// look wrong and are right.
import { deflateSync, gzipSync } from 'node:zlib'
import type { RefusalReason } from '../../src/event/decoded-event.ts'
import { DAY_MS, MINUTE_MS } from '../../src/platform/duration.ts'
import type { Random } from '../../src/platform/random.ts'
import type { OrderJson } from './hostile-pipeline.ts'

/** `folded`: nothing is wrong with it. `either`: folded or refused for whatever reason, nobody knows. */
export type Outcome = RefusalReason | 'folded' | 'either'

export interface HostileInput {
  readonly order: OrderJson
  readonly random: Random
  readonly arrivalMs: number
}

export interface Hostile {
  readonly name: string
  readonly outcome: Outcome
  /** How often, beside the others; heavy ones are rare. */
  readonly weight: number
  /** The payload; as text of base64 where it is not base64, which no Kinesis can carry. */
  readonly make: (input: HostileInput) => Buffer | string
  /** Another key than the user's id. */
  readonly partitionKey?: (user: string) => string
}

const KIBI = 1024
const MEBI = KIBI * KIBI
const HEAVY = 0.02
const DEPTH = 200_000

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8')
const json = (value: unknown): Buffer => bytes(JSON.stringify(value))

/** The order with other members. */
function changed(name: string, outcome: Outcome, change: (input: HostileInput) => object, weight = 1): Hostile {
  return { name, outcome, weight, make: input => json({ ...input.order, ...change(input) }) }
}

/** The order's text made into something else. */
function text(name: string, outcome: Outcome, make: (text: string) => string | Buffer, weight = 1): Hostile {
  return { name, outcome, weight, make: ({ order }) => toBuffer(make(JSON.stringify(order))) }
}

/** Bytes or text that have nothing of an order; the order's id makes no two alike where it can. */
function plain(name: string, outcome: Outcome, make: (id: string) => string | Buffer, weight = 1): Hostile {
  return { name, outcome, weight, make: ({ order }) => toBuffer(make(order.orderId)) }
}

function toBuffer(made: string | Buffer): Buffer {
  return typeof made === 'string' ? bytes(made) : made
}

function notBase64(name: string, make: (base64: string) => string): Hostile {
  return { name, outcome: 'not-base64', weight: 1, make: ({ order }) => make(json(order).toString('base64')) }
}

const FIELD_VALUES: readonly unknown[] = [null, true, 'x', 1, 1.5, '', [], {}, [1], { a: 1 }]
const TAKEN: Readonly<Record<string, (value: unknown) => boolean>> = {
  amount: value => typeof value === 'number',
  quantity: value => typeof value === 'number',
  item: value => typeof value === 'string',
  channel: () => false,
  gift: value => typeof value === 'boolean',
  note: value => typeof value === 'string' || value === null,
}

const WRONG_TYPES: readonly Hostile[] = Object.entries(TAKEN).flatMap(([field, isTaken]) =>
  FIELD_VALUES.filter(value => !isTaken(value)).map(value =>
    changed(`${field} is ${JSON.stringify(value)}`, 'contract', () => ({ [field]: value }), 0.3),
  ),
)

const IDENTITY: readonly Hostile[] = [
  ...[undefined, null, '', true, {}, [], 1.5, 2 ** 53, 'x'.repeat(257)].map(orderId =>
    changed(`the id is ${JSON.stringify(orderId)?.slice(0, 20)}`, 'contract', () => ({ orderId })),
  ),
  ...[undefined, null, '', true, [], 'a/b', 'a#b', 'a\u0000b', 'a\nb', 'a\u0085b', 'x'.repeat(257), 2 ** 53].map(id =>
    changed(`the user is ${JSON.stringify(id)?.slice(0, 20)}`, 'user-id-invalid', () => ({ customer: { id } })),
  ),
  ...[null, [], 'u1', 7].map(customer =>
    changed(`the customer is ${JSON.stringify(customer)}`, 'user-id-invalid', () => ({ customer })),
  ),
  changed('control characters in the id', 'folded', ({ order }) => ({ orderId: `${order.orderId}\u0000\u001b[2J` })),
  { ...changed('another key', 'mis-keyed', () => ({})), partitionKey: user => `${user} ` },
  { ...changed('the key of a prototype', 'mis-keyed', () => ({})), partitionKey: () => '__proto__' },
]

const TIMES: readonly Hostile[] = [
  ...[
    undefined,
    null,
    '',
    'yesterday',
    1_700_000_000_000,
    '2026-01-02T03:04:05',
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:61Z',
    '2026-01-01T00:00:00+24:00',
    '10000-01-01T00:00:00Z',
    '1969-12-31T23:59:59Z',
    '0000-01-01T00:00:00Z',
    `2026-01-01T00:00:00.${'0'.repeat(100)}Z`,
  ].map(placedAt =>
    changed(`the time is ${JSON.stringify(placedAt)?.slice(0, 30)}`, 'time-invalid', () => ({ placedAt })),
  ),
  changed('six minutes ahead', 'future', ({ arrivalMs }) => ({ placedAt: iso(arrivalMs + 6 * MINUTE_MS) })),
  changed('a day ahead', 'future', ({ arrivalMs }) => ({ placedAt: iso(arrivalMs + DAY_MS) })),
  changed('the year 9999', 'future', () => ({ placedAt: '9999-12-31T23:59:59.999Z' })),
]

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

const KINDS_OF_EVENT: readonly Hostile[] = [
  ...[undefined, null, '', 7, {}, 'order.cancelled', '__proto__', 'constructor', 'toString', 'ORDER.PLACED'].map(type =>
    changed(`the type is ${JSON.stringify(type)}`, 'unknown-type', () => ({ type })),
  ),
  ...[0, 3, 99, -1, 1.5, 'two', '02', {}, [], true].map(v =>
    changed(`the version is ${JSON.stringify(v)}`, 'unknown-version', () => ({ v })),
  ),
  changed('version 1 with both totals', 'contract', () => ({ v: 1, total: 5 })),
  text('version 1', 'folded', order => order.replace('"v":2', '"v":1').replace('"amount"', '"total"')),
  text('no version', 'folded', order => order.replace('"v":2,', '')),
  changed("another type's payload", 'contract', () => ({ orderId: undefined, visitId: 'x', visitor: 'y', at: 1 })),
  changed("the other type's word", 'contract', () => ({ type: 'site.visited' })),
]

const JSON_TEXTS: readonly Hostile[] = [
  plain('nothing', 'not-json', () => ''),
  plain('white space', 'not-json', () => ' \n\t'),
  ...['null', '1', '"x"', '[]', '{}', 'true'].map(value => plain(`only ${value}`, 'unknown-type', () => value)),
  text('truncated', 'not-json', order => order.slice(0, -1 - (order.length % 17))),
  text('a list of it', 'unknown-type', order => `[${order}]`),
  text('twice', 'not-json', order => order + order),
  text('a comma too many', 'not-json', order => order.replace('}', ',}')),
  text('single quotes', 'not-json', order => order.replaceAll('"', "'")),
  text('a byte order mark', 'not-json', order => `\ufeff${order}`),
  text('a comment', 'not-json', order => `/* */${order}`),
  text('UTF-16', 'not-json', order => Buffer.from(order, 'utf16le')),
  text('NUL at the end', 'not-json', order => `${order}\u0000`),
  text('NaN', 'not-json', order => order.replace(/"amount":[^,]*/, '"amount":NaN')),
  text('1e400', 'contract', order => order.replace(/"amount":[^,]*/, '"amount":1e400')),
  text('-1e400', 'contract', order => order.replace(/"quantity":[^,]*/, '"quantity":-1e400')),
  text('an integer too large', 'contract', order => order.replace(/"amount":[^,]*/, '"amount":12345678901234567890')),
  text('minus zero', 'either', order => order.replace(/"amount":[^,]*/, '"amount":-0')),
  text('a key twice', 'duplicate-key', order => order.replace('{', '{"amount":1,')),
  text('a key twice, escaped', 'duplicate-key', order => order.replace('{', '{"\\u0061mount":1,')),
  text('a key twice, deep', 'duplicate-key', order => order.replace('{', '{"x":[{"a":{"b":1,"b":2}}],')),
  ...['__proto__', 'constructor', 'prototype', '\\u005f_proto__'].flatMap(key => [
    text(`the key ${key}`, 'forbidden-key', order => order.replace('{', `{"${key}":{"amount":1},`)),
    text(`the key ${key}, deep`, 'forbidden-key', order => order.replace('{', `{"x":[[{"${key}":1}]],`)),
  ]),
  text('keys of Object', 'folded', order => order.replace('{', '{"toString":1,"hasOwnProperty":2,"valueOf":null,')),
  text('a lone surrogate', 'not-utf8', order => order.replace('"item ', '"\\ud800item ')),
  text('a lone surrogate in a key', 'not-utf8', order => order.replace('{', '{"\\udfff":1,')),
  text('a pair of surrogates', 'folded', order => order.replace('"item ', '"\\ud83d\\ude00 item ')),
  text('bad UTF-8', 'not-utf8', order => Buffer.concat([bytes(order.slice(0, -1)), Buffer.from([0xc3, 0x28, 0x7d])])),
  text('overlong UTF-8', 'not-utf8', order => Buffer.concat([Buffer.from([0xc0, 0x80]), bytes(order)])),
  text('Latin-1', 'not-utf8', order => Buffer.from(order.replace('"item ', '"itém '), 'latin1')),
]

const SIZES: readonly Hostile[] = [
  plain('200,000 lists deep', 'too-deep', () => '['.repeat(DEPTH) + ']'.repeat(DEPTH), HEAVY),
  plain('150,000 objects deep', 'too-deep', () => nestedObjects(150_000), HEAVY / 2),
  plain('100,000 lists begun', 'too-deep', () => '['.repeat(DEPTH / 2), HEAVY),
  text('65 deep', 'too-deep', order => order.replace('{', `{"x":${'['.repeat(64)}${']'.repeat(64)},`)),
  text('64 deep', 'folded', order => order.replace('{', `{"x":${'['.repeat(63)}${']'.repeat(63)},`)),
  changed('a text of a megabyte', 'contract', () => ({ item: 'x'.repeat(MEBI - KIBI) }), HEAVY),
  changed('a megabyte that nobody reads', 'folded', () => ({ extra: 'x'.repeat(MEBI - KIBI) }), HEAVY),
  changed('50,000 members', 'folded', () => Object.fromEntries(manyMembers), HEAVY / 2),
  changed('a text a byte too long', 'contract', () => ({ item: 'x'.repeat(KIBI + 1) })),
  changed('a text of the longest', 'folded', () => ({ item: 'é'.repeat(KIBI / 2) })),
  text('an integer of 10,000 digits', 'contract', order =>
    order.replace(/"amount":[^,]*/, `"amount":${'9'.repeat(10_000)}`),
  ),
]

const manyMembers = Array.from({ length: 50_000 }, (_, index) => [`m${index}`, index] as const)

function nestedObjects(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
}

/** A thousandth of what they become. */
const gzipBomb = gzipSync(Buffer.alloc(16 * MEBI))
const zlibBomb = deflateSync(Buffer.alloc(16 * MEBI, '[1,'))

const COMPRESSED: readonly Hostile[] = [
  text('gzip', 'folded', order => gzipSync(order)),
  text('zlib', 'folded', order => deflateSync(order)),
  plain('a gzip bomb', 'too-big', () => gzipBomb, HEAVY),
  plain('a zlib bomb', 'too-big', () => zlibBomb, HEAVY),
  text('truncated gzip', 'not-inflatable', order => gzipSync(order).subarray(0, -5)),
  text('truncated zlib', 'not-inflatable', order => deflateSync(order).subarray(0, -1)),
  text('gzip and more', 'not-inflatable', order => Buffer.concat([gzipSync(order), Buffer.from('x')])),
  text('damaged gzip', 'not-inflatable', order => damaged(gzipSync(order))),
  plain('gzip of nothing', 'not-json', () => gzipSync('')),
  plain('gzip of gzip', 'not-utf8', id => gzipSync(gzipSync(id))),
  plain('only the first bytes of gzip', 'not-inflatable', () => Buffer.from([0x1f, 0x8b])),
  plain('deeper than allowed, in gzip', 'too-deep', () => gzipSync('['.repeat(KIBI))),
  text('aggregated by the KPL', 'kpl-aggregated', order =>
    Buffer.concat([Buffer.from([0xf3, 0x89, 0x9a, 0xc2]), bytes(order)]),
  ),
]

/** Its checksum no longer fits. */
function damaged(gzip: Buffer): Buffer {
  const at = gzip.length - 6
  gzip[at] = (gzip[at] ?? 0) ^ 0xff
  return gzip
}

/** One bit of a right order: whatever it becomes, it is one thing. */
const MUTATED: Hostile = {
  name: 'one bit flipped',
  outcome: 'either',
  weight: 3,
  make: ({ order, random }) => {
    const payload = json(order)
    const at = Math.floor(random() * payload.length)
    payload[at] = (payload[at] ?? 0) ^ (1 << Math.floor(random() * 8))
    return payload
  },
}

/** What Kinesis cannot carry: only in memory. */
export const MEMORY_KINDS: readonly Hostile[] = [
  notBase64('a character too few', base64 => base64.replace(/=*$/, '').slice(0, -1)),
  notBase64('the alphabet of URLs', base64 => `-_${base64.slice(2)}`),
  notBase64('a line break', base64 => `${base64.slice(0, 76)}\r\n${base64.slice(78)}`),
  notBase64('a letter of another alphabet', base64 => `é${base64.slice(1)}`),
  notBase64('spare bits', base64 => `${base64.slice(0, -4)}QR==`),
  notBase64('no base64 at all', () => '!!!!'),
  plain('two megabytes', 'too-big', id => `"${id}${'x'.repeat(2 * MEBI)}"`, HEAVY),
]

export const KINDS: readonly Hostile[] = [
  ...WRONG_TYPES,
  ...IDENTITY,
  ...TIMES,
  ...KINDS_OF_EVENT,
  ...JSON_TEXTS,
  ...SIZES,
  ...COMPRESSED,
  MUTATED,
]
