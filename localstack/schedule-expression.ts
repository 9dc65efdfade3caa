// `rate(…)` and `cron(…)` of EventBridge as pure data: a period, or a test whether a minute is due. Times are UTC.
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../src/platform/duration.ts'
import { TemplateError } from './errors.ts'

export type Schedule =
  | { readonly kind: 'rate'; readonly everyMs: number }
  | { readonly kind: 'cron'; readonly isDue: (minuteMs: number) => boolean }

const UNIT_MS: Readonly<Record<string, number>> = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS }

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

interface Field {
  readonly min: number
  readonly max: number
  /** Names that stand for min, min + 1, … */
  readonly names: readonly string[]
}

/** minutes, hours, day of month, month, day of week (1 = Sunday), year */
const FIELDS: readonly Field[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 1, max: 7, names: WEEKDAYS },
  { min: 1970, max: 2199, names: [] },
]

export function parseSchedule(expression: string): Schedule {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression)
  const unitMs = UNIT_MS[rate?.[2] ?? '']
  if (unitMs !== undefined && Number(rate?.[1]) > 0) return { kind: 'rate', everyMs: Number(rate?.[1]) * unitMs }
  const cron = /^cron\((.+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/)
  if (cron?.length !== FIELDS.length) throw unsupported(expression)
  const tests = cron.map((text, index) => fieldTest(text, FIELDS[index], expression))
  return {
    kind: 'cron',
    isDue: minuteMs => {
      const at = new Date(minuteMs)
      const values = [
        at.getUTCMinutes(),
        at.getUTCHours(),
        at.getUTCDate(),
        at.getUTCMonth() + 1,
        at.getUTCDay() + 1,
        at.getUTCFullYear(),
      ]
      return tests.every((test, index) => test(values[index] ?? Number.NaN))
    },
  }
}

/** `*`, `?`, `5`, `1-5`, `0/15`, `MON-FRI`, and lists of them. `L`, `W` and `#` are refused. */
function fieldTest(text: string, field: Field | undefined, expression: string): (value: number) => boolean {
  if (field === undefined) throw unsupported(expression)
  if (text === '*' || text === '?') return () => true
  const parts = text.split(',').map(part => partTest(part, field, expression))
  return value => parts.some(isMet => isMet(value))
}

function partTest(part: string, field: Field, expression: string): (value: number) => boolean {
  const [range = '', stepText] = part.split('/')
  const [fromText = '', toText] = range.split('-')
  const from = range === '*' ? field.min : numberOf(fromText, field, expression)
  const to =
    toText === undefined
      ? stepText === undefined && range !== '*'
        ? from
        : field.max
      : numberOf(toText, field, expression)
  const step = stepText === undefined ? 1 : Number(stepText)
  if (!Number.isInteger(step) || step < 1) throw unsupported(expression)
  return value => value >= from && value <= to && (value - from) % step === 0
}

function numberOf(text: string, field: Field, expression: string): number {
  const named = field.names.indexOf(text.toUpperCase())
  const value = named === -1 ? (/^\d+$/.test(text) ? Number(text) : Number.NaN) : field.min + named
  if (!(value >= field.min && value <= field.max)) throw unsupported(expression)
  return value
}

function unsupported(expression: string): TemplateError {
  return new TemplateError(`the local cloud does not understand the schedule ${expression}`, {
    next: 'Write rate(n minutes|hours|days) or cron(minutes hours day month weekday year) without L, W and #.',
  })
}
