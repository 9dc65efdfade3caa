import { describe, expect, it } from 'vitest'
import { parseSchedule } from '../../localstack/schedule-expression.ts'

const MINUTE_MS = 60_000

/** The instants of one week, from Thursday 2026-01-01, at which an expression is due. */
function dueIn(expression: string): string[] {
  const schedule = parseSchedule(expression)
  if (schedule.kind === 'rate') throw new Error('not a cron expression')
  const startMs = Date.UTC(2026, 0, 1)
  const minutes = Array.from({ length: 7 * 24 * 60 }, (_, index) => startMs + index * MINUTE_MS)
  return minutes.filter(schedule.isDue).map(ms => new Date(ms).toISOString().slice(8, 16))
}

describe('parseSchedule', () => {
  it.each([
    ['rate(1 minute)', MINUTE_MS],
    ['rate(5 minutes)', 5 * MINUTE_MS],
    ['rate(2 hours)', 120 * MINUTE_MS],
    ['rate(1 day)', 1440 * MINUTE_MS],
  ])('reads %s', (expression, everyMs) => {
    expect(parseSchedule(expression)).toEqual({ kind: 'rate', everyMs })
  })

  it.each([
    ['cron(15 2 * * ? *)', ['01T02:15', '02T02:15', '03T02:15', '04T02:15', '05T02:15', '06T02:15', '07T02:15']],
    ['cron(0 12 ? * MON-WED *)', ['05T12:00', '06T12:00', '07T12:00']],
    ['cron(0 12 ? * 1,7 2026)', ['03T12:00', '04T12:00']],
    ['cron(0 12 ? * 1,7 2027)', []],
    ['cron(0/20 0 2 JAN ? *)', ['02T00:00', '02T00:20', '02T00:40']],
    ['cron(30 8-10/2 1 * ? *)', ['01T08:30', '01T10:30']],
    ['cron(0 */12 1 1 ? *)', ['01T00:00', '01T12:00']],
  ])('knows when %s is due', (expression, expected) => {
    expect(dueIn(expression)).toEqual(expected)
  })

  it.each([
    'rate(0 minutes)',
    'rate(1 week)',
    'cron(0 12 * * ?)',
    'cron(60 12 * * ? *)',
    'cron(0 12 L * ? *)',
    'cron(0 12 ? * 6#3 *)',
    'cron(0/0 12 * * ? *)',
    'at(2026-01-01T00:00:00)',
    '',
  ])('refuses "%s"', expression => {
    expect(() => parseSchedule(expression)).toThrow(expect.objectContaining({ code: 'template-unsupported' }))
  })
})
