// What `millrace table diff` says to people.
import type { ChangedValue } from '../catalog/diff-counts.ts'
import type { DistributionDiff } from '../snapshot/diff-distributions.ts'
import type { DiffedBatch, TableDiff } from '../compose/compare-batches.ts'
import { textTable } from './text-table.ts'

export function diffLines({
  table,
  from,
  to,
  keys,
  columns,
  rows,
  changedIn,
  examples,
  distributions,
}: TableDiff): string[] {
  const { added, removed, retyped } = columns
  const changed = Object.entries(changedIn).map(([name, count]) => `${name} ${count}`)
  return [
    `${table}: from ${batchText(from)}`,
    `${' '.repeat(table.length)}    to ${batchText(to)}`,
    `Rows by ${keys.join(', ')}: ${rows.added} added, ${rows.removed} removed, ${rows.changed} changed, ${rows.same} the same`,
    ...(rows.repeatedKeys === 0
      ? []
      : [`${rows.repeatedKeys} rows have a key that came before: --key with more columns tells them apart`]),
    ...(added.length === 0 ? [] : [`Columns added: ${added.map(({ name, type }) => `${name} ${type}`).join(', ')}`]),
    ...(removed.length === 0
      ? []
      : [`Columns removed: ${removed.map(({ name, type }) => `${name} ${type}`).join(', ')}`]),
    ...retyped.map(each => `The column ${each.name} was ${each.from} and is ${each.to}: not compared`),
    ...(changed.length === 0 ? [] : [`Changed rows by column: ${changed.join(', ')}`]),
    ...examples.changed.map(each => `  ${each.key}  ${each.columns.map(valueLine).join(', ')}`),
    ...(examples.added.length === 0 ? [] : [`Added, for example: ${examples.added.join('  ')}`]),
    ...(examples.removed.length === 0 ? [] : [`Removed, for example: ${examples.removed.join('  ')}`]),
    ...(distributions.length === 0 ? [] : ['', ...distributionTable(distributions)]),
  ]
}

function batchText({ partition, batchId, rows }: DiffedBatch): string {
  return `${batchId} of ${partition}, ${rows} rows`
}

function valueLine({ name, from, to }: ChangedValue): string {
  return `${name} ${from} → ${to}`
}

/** Two lines a column: what it was, what it is. */
function distributionTable(distributions: readonly DistributionDiff[]): readonly string[] {
  const rows = distributions.flatMap(({ name, from, to, psi, reading }) => [
    [name, 'from', ...numbersOf(from), '', ''],
    ['', 'to', ...numbersOf(to), psi === null ? '' : psi.toFixed(3), reading],
  ])
  return textTable(['column', '', 'there', 'missing', 'mean', '10 %', '50 %', '90 %', 'PSI', ''], rows)
}

function numbersOf(distribution: DistributionDiff['from']): readonly string[] {
  const { count, missing } = distribution
  const counts = [String(count - missing), String(missing)]
  if (distribution.kind !== 'number') return [...counts, '', '', '', '']
  const { mean, deciles } = distribution
  return [...counts, short(mean), ...[0, 4, 8].map(index => short(deciles[index] ?? 0))]
}

const DIGITS = 6

function short(value: number): string {
  return String(Number(value.toPrecision(DIGITS)))
}
