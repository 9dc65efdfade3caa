// Columns of every type and rows of every value that they take, odd ones more often than life has them.
import fc from 'fast-check'
import type { Column, Row } from '../../src/catalog/columns.ts'
import type { Json } from '../../src/platform/canonical-json.ts'

export const ALL_TYPES: readonly Column[] = [
  { name: 'userId', type: 'string' },
  { name: 'orders', type: 'int64' },
  { name: 'mean', type: 'double' },
  { name: 'gift', type: 'boolean' },
  { name: 'at', type: 'timestamp' },
  { name: 'state', type: 'json' },
  { name: 'visits', type: 'list<int64>' },
  { name: 'notes', type: 'list<json>' },
  { name: 'shares', type: 'map<string,double>' },
  { name: 'seen', type: 'map<string,timestamp>' },
]

const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null, freq: 4 })
const json = fc.jsonValue({ maxDepth: 3 }).map(value => JSON.parse(JSON.stringify(value)) as Json)
const int64 = fc.oneof(
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
)
const double = fc.double({ noNaN: true, noDefaultInfinity: true })
const instant = fc.integer({ min: -1e12, max: 4e12 })
/** What a reader of text stumbles over. */
const oddText = fc.constantFrom(
  '',
  ' ',
  '""',
  ',',
  'a\r\nb',
  '\r',
  '\uFEFFa',
  'null',
  '\\N',
  'NA',
  '=1+1',
  "'",
  'a "b", c',
  '\u0000',
)
const text = fc.oneof(fc.string({ unit: 'binary' }), oddText)
// A map's reader makes an object of it.
const key = text.filter(each => each !== '__proto__' && each.isWellFormed())

export const allTypesRows: fc.Arbitrary<Row[]> = fc.array(
  fc.record({
    userId: nullable(text.filter(each => each.isWellFormed())),
    orders: nullable(int64),
    mean: nullable(double),
    gift: nullable(fc.boolean()),
    at: nullable(instant),
    state: nullable(json),
    visits: nullable(fc.array(nullable(int64), { maxLength: 4 })),
    notes: nullable(fc.array(nullable(json), { maxLength: 3 })),
    shares: nullable(fc.dictionary(key, nullable(double), { maxKeys: 4 })),
    seen: nullable(fc.dictionary(key, instant, { maxKeys: 3 })),
  }) as fc.Arbitrary<Row>,
  { maxLength: 40 },
)
