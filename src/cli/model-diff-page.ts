// The differences of two versions as one page with charts, to be passed on: no user id is in it unless it was asked for.
import type { ArtifactManifest } from '../model/artifact-manifest.ts'
import type { ColumnDiff } from '../model/diff-models.ts'
import { sharesOf } from '../model/psi.ts'
import { binLabels, countsInBins, sharedBins } from '../model/psi-bins.ts'
import { barChart } from '../report/bars.ts'
import { escapeHtml } from '../report/escape-html.ts'
import { htmlPage } from '../report/page.ts'
import { htmlTable, shortNumber } from '../report/table.ts'
import type { ModelDiff } from './model-diff.ts'
import { columnText, outputText, percent, sampleText } from './model-diff-text.ts'

/** Those that moved most; a hundred charts are read by nobody. */
const CHARTS_MAX = 12

export function modelDiffPage(diff: ModelDiff, before: ArtifactManifest, now: ArtifactManifest): string {
  const { name, changes, inputs, outputs } = diff
  return htmlPage({
    title: `${name}: ${diff.before} → ${diff.now}`,
    sections: [
      {
        heading: 'Papers',
        html:
          changes.length === 0
            ? paragraph('The same.')
            : htmlTable({
                head: ['field', 'before', 'now'],
                rows: changes.map(each => [each.field, each.before, each.now]),
              }),
      },
      { heading: 'Inputs', html: columnsHtml(inputs, before.inputs, now.inputs) },
      { heading: 'Outputs', html: columnsHtml(outputs, before.outputs, now.outputs) },
      { heading: 'Metrics by slice', html: metricsHtml(diff) },
      { heading: 'Predictions of the same people', html: predictionsHtml(diff) },
    ],
  })
}

type Columns = ArtifactManifest['inputs'] | ArtifactManifest['outputs']

function columnsHtml(diffs: readonly ColumnDiff[], before: Columns, now: Columns): string {
  const psis = diffs.filter(({ psi }) => psi !== null).toSorted((a, b) => (b.psi ?? 0) - (a.psi ?? 0))
  const moved = psis.filter(({ reading }) => reading === 'moved' || reading === 'moved-much')
  return [
    htmlTable({
      head: ['name', 'values', 'PSI', 'missing before', 'missing now'],
      rows: diffs.map(each => [
        each.name,
        // Without the figures that have a column of their own.
        columnText({ ...each, psi: null, missingShareBefore: null, missingShareNow: null }).slice(each.name.length + 2),
        each.psi,
        percent(each.missingShareBefore),
        percent(each.missingShareNow),
      ]),
    }),
    ...(psis.length === 0
      ? [paragraph('Whether values moved is unknown: the papers of both have no distributions.')]
      : [
          figure(
            barChart({
              title: 'PSI',
              series: ['PSI: from 0.1 on moved, from 0.25 on much'],
              rows: psis.slice(0, CHARTS_MAX).map(({ name, psi }) => ({ label: name, values: [psi] })),
            }),
            'How far the values moved from what the version before was trained on',
          ),
        ]),
    ...moved.slice(0, CHARTS_MAX).map(({ name }) => distributionFigure(name, before, now)),
  ].join('\n')
}

/** Shares in the bins of before. */
function distributionFigure(name: string, before: Columns, now: Columns): string {
  const [was, is] = [before, now].map(columns => columns.find(each => each.name === name)?.distribution)
  if (was === undefined || is === undefined) return ''
  const bins = sharedBins(was, is)
  const [old, fresh] = [was, is].map(each => sharesOf(countsInBins(each, bins) ?? []))
  const rows = binLabels(bins).map((label, index) => ({
    label: label.replace(/-?\d+\.\d+(e-?\d+)?$/, number => shortNumber(Number(number))),
    values: [old?.[index] ?? null, fresh?.[index] ?? null],
  }))
  return figure(barChart({ title: `Values of ${name}`, series: ['before', 'now'], rows }), `${name}: share of rows`)
}

function metricsHtml({ metrics }: ModelDiff): string {
  if (metrics.length === 0) return paragraph('Neither version has any.')
  const names = [...new Set(metrics.map(({ metric }) => metric))]
  return [
    htmlTable({
      head: ['metric', 'slice', 'before', 'now', 'difference'],
      rows: metrics.map(each => [each.metric, each.slice, each.before, each.now, each.difference]),
    }),
    ...names.map(name => {
      const rows = metrics.filter(({ metric }) => metric === name)
      const bars = rows.map(({ slice, before, now }) => ({ label: slice, values: [before, now] }))
      return figure(barChart({ title: name, series: ['before', 'now'], rows: bars }), `${name} by slice`)
    }),
  ].join('\n')
}

function predictionsHtml({ sample, predictions, users }: ModelDiff): string {
  const asked = paragraph(`Asked about ${sampleText(sample)}.`)
  if (predictions === null) return asked
  const { rows, compared, leftOut, tolerance, outputs } = predictions
  return [
    asked,
    paragraph(`${compared} of ${rows} rows compared.`),
    ...Object.entries(leftOut).map(([why, count]) => paragraph(`Left out ${count}: ${why}`)),
    ...outputs.flatMap(output => {
      const movers =
        users === undefined
          ? output.movers.map(({ row, before, now }) => [`row ${row + 1}`, before, now])
          : (users[output.name] ?? []).map(({ user, before, now }) => [user, before, now])
      return [
        paragraph(outputText(output, tolerance)),
        ...(movers.length === 0
          ? []
          : [htmlTable({ head: [users === undefined ? 'who' : 'user', 'before', 'now'], rows: movers })]),
      ]
    }),
  ].join('\n')
}

function figure(svg: string, caption: string): string {
  return `<figure>${svg}<figcaption>${escapeHtml(caption)}</figcaption></figure>`
}

function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`
}
