// Cutting a body into events: every shape gives back the very bytes, and nothing that a stranger sends is slow or throws.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitEvents } from '../../src/serve/split-events.ts'

const NDJSON = 'application/x-ndjson'

function cut(body: string | Uint8Array, contentType?: string, eventsMax = 1000): string[] | undefined {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  return splitEvents(bytes, { contentType, eventsMax })?.map(event => Buffer.from(event).toString())
}

describe('splitEvents', () => {
  it('gives back the bytes of each event from every shape', () => {
    const space = fc.constantFrom('', ' ', '\n', '\r\n\t ')
    const eventText = fc.jsonValue({ maxDepth: 4 }).map(value => JSON.stringify({ type: 'a,]}"', value }))
    fc.assert(
      fc.property(fc.array(eventText, { maxLength: 5 }), space, (events, gap) => {
        const list = `${gap}[${gap}${events.join(`${gap},${gap}`)}${gap}]${gap}`
        expect(cut(list)).toEqual(events)
        expect(cut(`${gap}{${gap}"events"${gap}:${list}}${gap}`)).toEqual(events)
        expect(cut(events.join('\n'), NDJSON)).toEqual(events)
        expect(cut(`${events.join('\r\n\n')}\n`, `${NDJSON}; charset=utf-8`)).toEqual(events)
        if (events.length === 1) expect(cut(`${gap}${events[0]}${gap}`)).toEqual(events)
        if (events.length > 1) expect(cut(events.join('\n'))).toEqual(events)
      }),
    )
  })

  it('keeps what parsing would lose: repeated keys, large numbers, spaces inside', () => {
    const event = '{"n": 12345678901234567890,"n":1.10, "t":"\\u0041"}'
    expect(cut(`[${event}]`)).toEqual([event])
  })

  it('leaves a broken event to be refused on its own', () => {
    expect(cut('[{"a":1},oops,{"b":2}]')).toEqual(['{"a":1}', 'oops', '{"b":2}'])
    expect(cut('[{"a":1},]')).toEqual(['{"a":1}', ''])
    expect(cut('[1 2]')).toEqual(['1 2'])
    expect(cut('{"a":\noops\n{"b":2}', NDJSON)).toEqual(['{"a":', 'oops', '{"b":2}'])
  })

  it('takes an object with an events member beside others for an event', () => {
    const event = '{"events":[1],"type":"basket"}'
    expect(cut(event)).toEqual([event])
    expect(cut('{"events":{"a":1}}')).toEqual(['{"events":{"a":1}}'])
  })

  it.each(['', '  ', 'oops', '"text"', '12', '[', '[{"a":1}', '[{"a":1}}', '[1]x', '{"a":1', '{"a":"', '{"a":"\\'])(
    'cannot read %j',
    body => {
      expect(cut(body)).toBeUndefined()
    },
  )

  it('reads an empty list as no event', () => {
    expect(cut('[]')).toEqual([])
    expect(cut('{"events":[ ]}')).toEqual([])
    expect(cut('\n\n', NDJSON)).toEqual([])
  })

  it('stops one after the most it may cut', () => {
    expect(cut('[1,2,3,4,5]', undefined, 2)).toEqual(['1', '2', '3'])
    expect(cut('1\n2\n3\n4\n5', NDJSON, 2)).toEqual(['1', '2', '3'])
    expect(cut('[1,2]', undefined, 2)).toEqual(['1', '2'])
  })

  it('never throws, and cuts only what is there', () => {
    const soup = fc.stringMatching(/^[[\]{},:"\\ \nevnts1]{0,40}$/)
    fc.assert(
      fc.property(soup, fc.constantFrom(undefined, NDJSON), (text, contentType) => {
        for (const event of cut(text, contentType) ?? []) expect(text).toContain(event)
      }),
      { numRuns: 3000 },
    )
  })

  it('looks at each byte a bounded number of times, whatever 1 MiB holds', () => {
    const bytes = 1024 * 1024
    const startedMs = performance.now()
    for (const text of ['\n', '[', '{"a":', '"', ' ', ',', '[{}']) {
      const body = Buffer.from(text.repeat(Math.floor(bytes / text.length)))
      cut(body)
      cut(body, NDJSON)
      cut(Buffer.concat([Buffer.from('['), body.subarray(1)]))
      cut(Buffer.concat([Buffer.from('{"events":['), body]))
    }
    // Linear it is below a second; reading blank lines over and over would take minutes.
    expect(performance.now() - startedMs).toBeLessThan(8000)
  })
})
