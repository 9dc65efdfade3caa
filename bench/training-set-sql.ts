// The same history, the same labels and the same features, as SQL: DuckDB makes the inputs, and makes the rows by a range join.

/** 2024-01-01, in ms: two years of events begin here, labels lie in the second. */
const FROM_MS = Date.UTC(2024, 0, 1)
const DAY_MS = 86_400_000
/** Of both event types: an imported event is known so long after its time. */
const LATENESS_MS = 3_600_000

export interface Sizes {
  readonly events: number
  readonly users: number
  readonly labels: number
}

/** Numbers from 0 to 1 that follow from the row and the salt alone. */
const random = (salt: string): string => `(hash(i, '${salt}') % 1000003) / 1000003.0`
/** Few users have many events, many have few; every user has its share of both. */
const user = (salt: string, users: number): string =>
  `'user-' || CAST(floor(pow(${random(salt)}, 1.5) * ${users}) AS INT)`
const instant = (fromDay: number, days: number): string =>
  `epoch_ms(CAST(${FROM_MS + fromDay * DAY_MS} + hash(i, 'at') % ${days * DAY_MS} AS BIGINT))`

/** Two thirds are orders. */
export function inputStatements(folder: string, { events, users, labels }: Sizes): readonly string[] {
  const orders = Math.round((events * 2) / 3)
  const copy = (select: string, name: string): string =>
    `COPY (${select}) TO '${folder}/${name}.parquet' (FORMAT parquet, COMPRESSION snappy)`
  return [
    copy(
      `SELECT 'o' || i AS id, ${user('user', users)} AS "user", ${instant(0, 730)} AS "at",
         round(5 + 300 * pow(${random('amount')}, 2), 2) AS amount, ['web', 'app', 'shop'][CAST(1 + hash(i, 'channel') % 3 AS BIGINT)] AS channel,
         'item ' || hash(i, 'item') % 40 AS item, hash(i, 'gift') % 5 = 0 AS gift
       FROM range(${orders}) r(i)`,
      'orders',
    ),
    copy(
      `SELECT 'v' || i AS id, ${user('user', users)} AS "user", ${instant(0, 730)} AS "at", CAST(hash(i, 'seconds') % 900 AS INT) AS seconds
       FROM range(${orders}, ${events}) r(i)`,
      'visits',
    ),
    // A label in fifty is of somebody without events.
    copy(
      `SELECT ${user('label', Math.round(users * 1.02))} AS "user", ${instant(365, 360)} AS time, hash(i, 'label') % 2 = 0 AS label
       FROM range(${labels}) r(i)`,
      'labels',
    ),
  ]
}

/** As docs/features.md defines a window: from `floor(t − w, hop)`. */
const within = (days: number): string => {
  const hopMs = days <= 1 ? 300_000 : days <= 14 ? 3_600_000 : DAY_MS
  return `ts >= (t - ${days * DAY_MS}) // ${hopMs} * ${hopMs}`
}

const FEATURES: readonly (readonly [name: string, aggregate: string])[] = [
  ['orders1d', `count(*) FILTER (is_order AND ${within(1)})`],
  ['orders7d', `count(*) FILTER (is_order AND ${within(7)})`],
  ['orders30d', `count(*) FILTER (is_order AND ${within(30)})`],
  ['orders90d', `count(*) FILTER (is_order AND ${within(90)})`],
  ['ordersEver', 'count(*) FILTER (is_order)'],
  ['spend7d', `coalesce(sum(cents) FILTER (is_order AND ${within(7)}), 0) / 100.0`],
  ['spend30d', `coalesce(sum(cents) FILTER (is_order AND ${within(30)}), 0) / 100.0`],
  ['spend90d', `coalesce(sum(cents) FILTER (is_order AND ${within(90)}), 0) / 100.0`],
  [
    'meanAmount90d',
    `sum(cents) FILTER (is_order AND ${within(90)})::DOUBLE / (100 * count(*) FILTER (is_order AND ${within(90)}))`,
  ],
  ['cheapest90d', `min(cents) FILTER (is_order AND ${within(90)}) / 100.0`],
  ['dearest', 'max(cents) FILTER (is_order) / 100.0'],
  ['app30d', `count(*) FILTER (is_order AND channel = 'app' AND ${within(30)})`],
  ['bigOrders90d', `count(*) FILTER (is_order AND cents > 15000 AND ${within(90)})`],
  [
    'giftShare90d',
    `count(*) FILTER (is_order AND gift AND ${within(90)})::DOUBLE / nullif(count(*) FILTER (is_order AND ${within(90)}), 0)`,
  ],
  ['items90d', `count(DISTINCT item) FILTER (is_order AND ${within(90)})`],
  ['lastAmount', 'arg_max(cents, ts) FILTER (is_order) / 100.0'],
  ['sinceOrder', '(t - max(ts) FILTER (is_order)) // 3600000 * 3600'],
  ['visits1d', `count(*) FILTER (NOT is_order AND ${within(1)})`],
  ['visits30d', `count(*) FILTER (NOT is_order AND ${within(30)})`],
  ['seconds30d', `coalesce(sum(seconds) FILTER (NOT is_order AND ${within(30)}), 0)`],
]

export const FEATURE_NAMES = FEATURES.map(([name]) => name)

/** From the Parquet files to a Parquet file. */
export function joinStatement(folder: string): string {
  const columns = FEATURES.map(([name, aggregate]) => `CAST(${aggregate} AS DOUBLE) AS ${name}`)
  return `
    COPY (
      WITH events AS (
        SELECT "user", epoch_ms("at") AS ts, true AS is_order, CAST(round(amount * 100) AS BIGINT) AS cents, channel, item, gift, NULL AS seconds
        FROM '${folder}/orders.parquet'
        UNION ALL
        SELECT "user", epoch_ms("at"), false, NULL, NULL, NULL, NULL, seconds FROM '${folder}/visits.parquet'
      ), labels AS (
        SELECT file_row_number AS label_row, "user", epoch_ms(time) - 1 AS t, label
        FROM read_parquet('${folder}/labels.parquet', file_row_number = true)
      )
      SELECT label_row, any_value(labels."user") AS user_id, any_value(label) AS label, ${columns.join(', ')}
      FROM labels LEFT JOIN events ON events."user" = labels."user" AND ts + ${LATENESS_MS} <= t
      GROUP BY label_row, t
    ) TO '${folder}/sql.parquet' (FORMAT parquet, COMPRESSION snappy)`
}

/** How many rows differ in any number, or are in one of the two alone. */
export function compareStatement(folder: string): string {
  const differs = ['label', ...FEATURE_NAMES].map(name => `a.${name} IS DISTINCT FROM b.${name}`)
  return `
    SELECT count(*) FROM '${folder}/sql.parquet' a FULL JOIN '${folder}/millrace.parquet' b USING (label_row)
    WHERE ${differs.join(' OR ')} OR a.user_id IS DISTINCT FROM b.user_id`
}
