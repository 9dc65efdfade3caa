import { describe, expect, it } from 'vitest'
import { lineChart } from '../../src/report/line-chart.ts'

const DAY = 86_400_000
const START = Date.UTC(2001, 2, 5)

const chart = lineChart({
  title: 'auc <by> "week"',
  unit: 'auc',
  series: [
    {
      name: 'b1 & co',
      points: [
        [START, 0.5],
        [START + 7 * DAY, 0.75],
        [START + 14 * DAY, 0.7],
      ],
    },
    { name: 'b2', points: [[START + 14 * DAY, 0.8]] },
  ],
  marks: [{ x: START + 7 * DAY, label: 'promote <b2>' }],
})

const circles = Array.from(chart.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g), ([, x, y]) => [Number(x), Number(y)])

describe('lineChart', () => {
  it('is one svg with a title and a description in words for who does not see it', () => {
    expect(chart.match(/<svg /g)).toHaveLength(1)
    expect(chart).toMatch(/role="img"/)
    expect(chart).toContain('<title>auc &lt;by&gt; &quot;week&quot;</title>')
    expect(chart).toMatch(
      /<desc>.*b1 &amp; co: 3 points from 2001-03-05 to 2001-03-19, between 0\.5 and 0\.75, 0\.7 at the end/,
    )
    expect(chart).toMatch(/<desc>.*2001-03-12: promote &lt;b2&gt;\./)
  })

  it('lets no text become markup', () => {
    expect(chart).not.toMatch(/<by>|<b2>/)
    expect(lineChart({ title: 'a\u0000b\u0007', series: [], marks: [] })).toContain('<title>ab</title>')
  })

  it('places later points to the right, higher ones above, and equal ones alike', () => {
    const [first, second, third, other] = circles
    if (first === undefined || second === undefined || third === undefined || other === undefined)
      throw new Error('points')
    expect(circles).toHaveLength(4)
    expect(second[0]).toBeCloseTo(((first[0] ?? 0) + (third[0] ?? 0)) / 2, 0)
    expect(first[1]).toBeGreaterThan(third[1] ?? 0)
    expect(third[1]).toBeGreaterThan(second[1] ?? 0)
    expect(other[0]).toBe(third[0])
  })

  it('marks an instant where the points of that instant are', () => {
    const markX = /<line x1="([\d.]+)" y1="[\d.]+" x2="\1" y2="[\d.]+" [^>]*stroke-dasharray="3 3"/.exec(chart)?.[1]
    expect(Number(markX)).toBe(circles[1]?.[0])
  })

  it('writes marks above the plot, where no line is, and near ones in rows of their own', () => {
    const marks = [0, 1, 2].map(day => ({ x: START + day * DAY, label: `mark ${day}` }))
    const drawn = lineChart({
      title: 'auc',
      series: [
        {
          name: 'b',
          points: [
            [START, 1],
            [START + 9 * DAY, 2],
          ],
        },
      ],
      marks,
    })
    const rows = Array.from(drawn.matchAll(/y="([\d.]+)"[^>]*>mark/g), ([, y]) => Number(y))
    const top = Math.min(...Array.from(drawn.matchAll(/cy="([\d.]+)"/g), ([, y]) => Number(y)))
    expect(new Set(rows).size).toBe(3)
    expect(Math.max(...rows)).toBeLessThan(top)
  })

  it('has a legend whose names do not run into each other, on as many lines as it takes', () => {
    const series = Array.from({ length: 5 }, (_, n) => ({
      name: `2001030100000${n}-m0gzy8kq`,
      points: [[START, n] as const],
    }))
    const drawn = lineChart({ title: 'auc', series, marks: [] })
    const names = Array.from(
      drawn.matchAll(/<text x="([\d.]+)" y="([\d.]+)">2001/g),
      ([, x, y]) => [Number(x), Number(y)] as const,
    )
    expect(names).toHaveLength(5)
    for (const [index, [x, y]] of names.entries()) {
      const [nextX, nextY] = names[index + 1] ?? [Number.POSITIVE_INFINITY, y]
      // 23 letters of 7 pixels.
      expect(nextY > y || nextX - x > 23 * 7).toBe(true)
      expect(x + 23 * 7).toBeLessThan(900)
    }
    const height = Number(/viewBox="0 0 900 (\d+)"/.exec(drawn)?.[1])
    expect(Math.max(...names.map(([, y]) => y))).toBeLessThan(height)
  })

  it('has no colour that a dark page cannot change', () => {
    expect(chart).not.toMatch(/(stroke|fill)="(#|white|black)/)
    expect(chart).not.toMatch(/(stroke|fill):#/)
  })

  it('has days of UTC below', () => {
    expect(chart).toContain('>2001-03-05<')
    expect(chart).toContain('>UTC<')
  })

  it('is drawn of one point, of nothing, and of what is not finite, without a NaN', () => {
    const charts = [
      lineChart({ title: 'one', series: [{ name: 'a', points: [[START, 3]] }], marks: [] }),
      lineChart({ title: 'none', series: [], marks: [] }),
      lineChart({
        title: 'odd',
        series: [
          {
            name: 'a',
            points: [
              [START, Number.NaN],
              [START + DAY, 1],
            ],
          },
        ],
        marks: [],
      }),
    ]
    for (const each of charts) expect(each).not.toMatch(/NaN|Infinity|undefined/)
    expect(charts[2]?.match(/<circle/g)).toHaveLength(1)
  })
})
