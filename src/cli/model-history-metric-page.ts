// A report of performance as one HTML page: a line for each version, dashes for what training said, and a mark for all that changed.
import { dayText } from '../performance/period.ts'
import type { PerformanceReport } from '../performance/performance-report.ts'
import { escapeHtml } from '../report/escape-html.ts'
import { type LineMark, lineChart, type LineSeries } from '../report/line-chart.ts'
import { htmlPage } from '../report/page.ts'
import { htmlTable } from '../report/table.ts'
import { groupCells, markText, sourceLines } from './model-history-metric-text.ts'

export function performancePage(report: PerformanceReport): string {
  const { model, metric, by, versions, periods, marks, falls } = report
  return htmlPage({
    title: `${model}: ${metric} by ${by}`,
    sections: [
      { heading: 'What was held against what', html: paragraphs(sourceLines(report)) },
      { heading: 'Over time', html: `<figure>${performanceChart(report)}</figure>` },
      {
        heading: 'Versions',
        html: htmlTable({
          head: ['version', 'training', 'realised', 'outcomes', 'predicted', 'seen'],
          rows: versions.map(version => [
            version.batchId,
            version.training.map(({ slice, value }) => `${value.toFixed(4)} (${slice})`).join(', '),
            ...groupCells(version),
          ]),
        }),
      },
      {
        heading: 'What changed',
        html: marks.length === 0 ? paragraphs(['Nothing.']) : paragraphs(marks.map(markText)),
      },
      {
        heading: 'Figures',
        html: htmlTable({
          head: [by, 'version', metric, 'outcomes', 'predicted', 'seen', ''],
          rows: periods.map(period => {
            const isFall = falls.some(({ start, batchId }) => start === period.start && batchId === period.batchId)
            return [dayText(period.start), period.batchId, ...groupCells(period), isFall ? 'fell' : '']
          }),
        }),
      },
    ],
  })
}

export function performanceChart({ model, metric, by, versions, periods, marks }: PerformanceReport): string {
  const series = versions.flatMap(({ batchId, training }): LineSeries[] => {
    const own = periods.flatMap(({ start, batchId: of, realised }) =>
      of === batchId && realised !== null ? [[start, realised.value] as const] : [],
    )
    const [first, last] = [own[0], own.at(-1)]
    if (first === undefined || last === undefined) return []
    const said = training.map(({ slice, value }): LineSeries => {
      const ends = [[first[0], value] as const, [last[0], value] as const]
      return { name: `training ${slice}`, points: ends }
    })
    return [{ name: batchId, points: own }, ...said]
  })
  const drawn = marks.map(({ at, kind, batchId }): LineMark => ({ x: at, label: `${kind} ${batchId}` }))
  return lineChart({ title: `${model}: ${metric} by ${by}`, unit: metric, series, marks: drawn })
}

function paragraphs(lines: readonly string[]): string {
  return lines.map(line => `<p>${escapeHtml(line)}</p>`).join('\n')
}
