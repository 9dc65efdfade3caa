import { describe, expect, it } from 'vitest'
import { barChart } from '../../src/report/bars.ts'
import { htmlTable, shortNumber } from '../../src/report/table.ts'

const HOSTILE = '"><script>alert(1)</script>'

/** Widths of the bars, without those of the legend. */
function widths(svg: string): number[] {
  return [...svg.matchAll(/<rect [^>]*width="([\d.]+)" height="12" style/g)].map(([, width]) => Number(width)).slice(2)
}

describe('barChart', () => {
  const chart = (values: (number | null)[]): string =>
    barChart({ title: 'auc', series: ['before', 'now'], rows: [{ label: 'all', values }] })

  it('has bars as long as their values', () => {
    const [before, now] = widths(chart([0.5, 1]))
    expect(before).toBeGreaterThan(0)
    expect(now).toBeCloseTo((before ?? 0) * 2, 0)
  })

  it('has the number beside each bar, and the title for those who do not see it', () => {
    expect(chart([0.512345, 0.7])).toContain('>0.5123</text>')
    expect(chart([0.5, 0.7])).toContain('<title>auc</title>')
  })

  it('says unknown where there is no value, and draws no bar', () => {
    const svg = chart([null, 0.7])
    expect(svg).toContain('>unknown</text>')
    expect(widths(svg)).toHaveLength(1)
  })

  it('goes to the left of nought for what is negative', () => {
    const svg = chart([-1, 1])
    const places = [...svg.matchAll(/<rect x="([\d.]+)" [^>]*height="12"/g)].map(([, x]) => Number(x)).slice(2)
    expect(places[0]).toBeLessThan(places[1] ?? 0)
    expect(widths(svg)[0]).toBe(widths(svg)[1])
  })

  it('is whole where all values are 0, infinite or not there', () => {
    for (const values of [[0, 0], [Number.POSITIVE_INFINITY, Number.NaN], []]) {
      expect(chart(values)).not.toMatch(/NaN|Infinity|undefined/)
    }
    expect(barChart({ title: 'none', series: [], rows: [] })).toContain('</svg>')
  })

  it('says the whole of what one series is', () => {
    const name = 'PSI: from 0.1 on moved, from 0.25 on much'
    expect(barChart({ title: 'PSI', series: [name], rows: [] })).toContain(`>${name}</text>`)
  })

  it('has text that nobody reads as markup', () => {
    const svg = barChart({ title: HOSTILE, series: [HOSTILE], rows: [{ label: HOSTILE, values: [1] }] })
    expect(svg).not.toContain('<script')
  })
})

describe('htmlTable', () => {
  it('has numbers to the right, and a dash for what is not known', () => {
    const html = htmlTable({
      head: ['slice', 'auc'],
      rows: [
        ['all', 0.71234],
        ['new', null],
      ],
    })
    expect(html).toContain('<td>all</td><td class="number">0.7123</td>')
    expect(html).toContain('<td>new</td><td class="number">–</td>')
    expect(html).toContain('<th>slice</th><th class="number">auc</th>')
  })

  it('has numbers with a unit to the right, as those without, and a column of dashes alone', () => {
    const html = htmlTable({ head: ['share', 'difference'], rows: [['30.8 %', null]] })
    expect(html).toContain('<td class="number">30.8 %</td><td class="number">–</td>')
  })

  it('scrolls by itself where it is too wide, and breaks no cell but long ones', () => {
    const html = htmlTable({ head: ['a', 'b'], rows: [['0.6969 ± 0.0124', 'f'.repeat(64)]] })
    expect(html).toMatch(/^<div class="wide" tabindex="0"><table>[^]*<\/table><\/div>$/)
    expect(html).toContain(`<td>0.6969 ± 0.0124</td><td class="long">${'f'.repeat(64)}</td>`)
  })

  it('has text that nobody reads as markup', () => {
    expect(htmlTable({ head: [HOSTILE], rows: [[HOSTILE]] })).not.toContain('<script')
  })
})

describe('shortNumber', () => {
  it('keeps whole numbers whole and four digits of others', () => {
    expect([123456, 0.00012346, 12.3456, 'a'].map(shortNumber)).toEqual(['123456', '0.0001235', '12.35', 'a'])
  })
})
