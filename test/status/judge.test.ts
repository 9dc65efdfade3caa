import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isHealthy, judge } from '../../src/status/judge.ts'
import { STATUS_LIMITS } from '../../src/status/limits.ts'
import type { Readings } from '../../src/status/readings.ts'
import { screen } from '../../src/status/screen.ts'
import type { StatusLine } from '../../src/status/status-line.ts'
import { functionReading, HOUR_MS, mapping, NOW_MS, point, wellReadings, withFunction } from './readings-factory.ts'

const lines = (readings: Readings) => judge(readings, STATUS_LIMITS)
const wrong = (readings: Readings): StatusLine[] => lines(readings).filter(({ verdict }) => verdict !== 'well')
const measured = (errors: number, throttles = 0, ages = [point(1, 400)]) => ({
  measured: { value: { invocations: 60, errors, throttles, ages } },
})
const entry = (why: string) => ({
  value: { number: 1, kind: 'commit', batchId: 'b', at: NOW_MS, who: 'ana', why, token: 't' } as const,
})
const DOWN = { problem: 'Nothing answers', next: 'Start it.' }

describe('judge', () => {
  it('finds nothing wrong with what is well', () => {
    expect(wrong(wellReadings())).toEqual([])
    expect(isHealthy(lines(wellReadings()))).toBe(true)
  })

  it.each<[string, Readings, string, string]>([
    [
      'a consumer that is paused',
      withFunction('recompute', {
        mappings: { value: [mapping('Disabled', 3)] },
        switched: entry('paused: a bad contract'),
      }),
      'recompute',
      'millrace resume --function recompute',
    ],
    ['a function with errors', withFunction('serve', measured(1)), 'serve', 'log of serve'],
    ['a function that is throttled much', withFunction('recompute', measured(0, 101)), 'recompute', 'concurrency'],
    [
      'a consumer that is behind',
      withFunction('archive', measured(0, 0, [point(1, 301_000)])),
      'archive',
      'log of archive',
    ],
    [
      'a consumer that is not deployed',
      withFunction('recompute', { deployed: { value: undefined } }),
      'recompute',
      'deploy it',
    ],
    [
      'a consumer without a mapping',
      withFunction('archive', { mappings: { value: [] } }),
      'archive',
      'cloud/mappings.yml',
    ],
    [
      'predictions that the model refuses',
      wellReadings({ predictions: { value: { atMs: NOW_MS - 60_000, ok: 19, refused: 1 } } }),
      'predictions',
      'millrace table rollback models.churn production BATCH',
    ],
    [
      'open dead letters',
      wellReadings({
        deadLetters: {
          value: { count: 3, isComplete: true, reasons: [{ reason: 'late', count: 3, owners: ['ana'] }] },
        },
      }),
      'dead-letters',
      'millrace deadletters list',
    ],
    [
      'batches given up',
      wellReadings({ givenUp: { value: { count: 1, isComplete: true, newestMs: NOW_MS } } }),
      'given-up',
      'millrace backfill --dead-letters given-up',
    ],
    ['doubt', wellReadings({ doubt: { value: { count: 1, isComplete: true } } }), 'doubt', 'millrace backfill --doubt'],
    [
      'a look that was ended before its end',
      wellReadings({ doubt: { value: { count: 0, isComplete: false } } }),
      'doubt',
      'millrace backfill --doubt',
    ],
    [
      'hours left to compact',
      wellReadings({ compaction: { value: { hoursLeft: 7, runs: 2 } } }),
      'compaction',
      'millrace archive compact',
    ],
    [
      'an old snapshot',
      wellReadings({
        snapshot: { value: { partition: 'day=2026-01-01', batchId: 'b', at: NOW_MS - 27 * HOUR_MS, rows: 1 } },
      }),
      'snapshot',
      'millrace snapshot run',
    ],
    [
      'no snapshot of a deployment of days',
      wellReadings({ snapshot: { value: undefined } }),
      'snapshot',
      'millrace snapshot run',
    ],
  ])('says of %s what to do, and of nothing else', (_name, readings, name, next) => {
    const found = wrong(readings)
    expect(found.map(line => line.name)).toEqual([name])
    expect(found[0]?.next).toContain(next)
  })

  it('tells who paused a consumer, unless somebody else has since', () => {
    const paused = (why: string) =>
      lines(withFunction('recompute', { mappings: { value: [mapping('Disabled')] }, switched: entry(why) }))[0]?.text
    expect(paused('paused: a bad contract')).toContain('paused by ana (a bad contract)')
    expect(paused('resumed: by hand')).toContain('paused, not by millrace')
  })

  it('gives dead letters by reason with their owners, and says where there are more', () => {
    const reasons = [
      { reason: 'late', count: 9000, owners: ['ana', 'bo'] },
      { reason: 'not-json', count: 1000, owners: [] },
    ]
    const [line] = wrong(wellReadings({ deadLetters: { value: { count: 10_000, isComplete: false, reasons } } }))
    expect(line?.text).toBe('more than 10,000 open: late 9000 (ana, bo), not-json 1000')
  })

  it('takes as many dead letters as are allowed, if it has seen all of them', () => {
    const verdict = (count: number, isComplete: boolean) => {
      const deadLetters = { value: { count, isComplete, reasons: [{ reason: 'late', count, owners: [] }] } }
      const found = judge(wellReadings({ deadLetters }), { ...STATUS_LIMITS, deadLetters: 5 })
      return found.find(({ name }) => name === 'dead-letters')?.verdict
    }
    const found = [verdict(5, true), verdict(6, true), verdict(5, false), verdict(6, false)]
    expect(found).toEqual(['well', 'unwell', 'unknown', 'unwell'])
  })

  it('leaves out functions that a team need not have, and finds no fault with a deployment of today', () => {
    const gone = withFunction('ingest', { deployed: { value: undefined } })
    expect(lines(gone).map(({ name }) => name)).not.toContain('ingest')
    const young = withFunction('snapshot', { deployed: { value: { updatedMs: NOW_MS - HOUR_MS } } })
    expect(wrong({ ...young, snapshot: { value: undefined } })).toEqual([])
  })

  it('finds that compaction did not run, whatever the span, unless it was deployed just now', () => {
    const compaction = { value: { hoursLeft: undefined, runs: 0 } }
    for (const hours of [1, 24]) {
      const [line, ...others] = wrong(wellReadings({ compaction, sinceMs: NOW_MS - hours * HOUR_MS }))
      expect(line).toMatchObject({ name: 'compaction', verdict: 'unwell', text: 'did not run in 2.1 h' })
      expect(others).toEqual([])
    }
    for (const deployed of [{ value: { updatedMs: NOW_MS - 2 * HOUR_MS } }, { value: undefined }]) {
      expect(wrong({ ...withFunction('compact', { deployed }), compaction })).toEqual([])
    }
  })

  it.each(['newestArchivedMs', 'deadLetters', 'givenUp', 'doubt', 'compaction', 'snapshot', 'definitions'] as const)(
    'says that %s cannot be read, and judges the rest',
    source => {
      const found = wrong(wellReadings({ [source]: DOWN }))
      expect(found).toHaveLength(1)
      expect(found[0]).toMatchObject({ verdict: 'unknown', text: 'cannot be read: Nothing answers', next: 'Start it.' })
    },
  )

  it('says that functions and measures cannot be read, in the line of each', () => {
    const names = (changes: Partial<ReturnType<typeof functionReading>>) =>
      wrong(withFunction('recompute', changes)).map(({ name, verdict }) => [name, verdict])
    for (const source of ['deployed', 'mappings', 'measured'] as const) {
      expect(names({ [source]: DOWN })).toEqual([['recompute', 'unknown']])
    }
    expect(wrong(wellReadings({ incoming: DOWN })).map(({ name }) => name)).toEqual(['recompute', 'archive'])
  })

  it('gives every line that is not well on the screen, with what to do, whatever goes wrong together', () => {
    const down = fc.subarray(['deadLetters', 'givenUp', 'doubt', 'compaction', 'snapshot', 'definitions'] as const)
    fc.assert(
      fc.property(down, fc.nat(3), (sources, errors) => {
        const changes = Object.fromEntries(sources.map(source => [source, DOWN]))
        const readings = { ...withFunction('serve', measured(errors)), ...changes }
        const found = lines(readings)
        const expected = sources.length + (errors > 0 ? 1 : 0)
        expect(found.filter(({ verdict }) => verdict !== 'well')).toHaveLength(expected)
        const shown = screen(found, { pipeline: 'shop', stage: 'dev', nowMs: NOW_MS, sinceMs: readings.sinceMs })
        expect(shown[0]).toContain(expected === 0 ? 'all is well' : `${expected} of ${found.length} lines`)
        expect(shown.filter(text => /^[!?] /.test(text))).toHaveLength(expected)
        // Every line that is not well is followed by what to do, at once or under neighbours that need the same.
        for (const [index, text] of shown.entries()) {
          if (/^[!?] /.test(text)) expect(shown[index + 1]).toMatch(/^[!?] | +-> /)
        }
      }),
    )
  })
})
