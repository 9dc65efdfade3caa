// Differences of definitions as lines for people: + came, - went, ~ is another one, = has another name.
import type { DefinitionsDiff, NamedChanges } from '../predictions/definitions-diff.ts'
import { durationText } from '../predictions/definition-text.ts'
import type { Readiness } from '../predictions/state-readiness.ts'

/** `readinessOf`: what is said of a feature that is added or changed; nothing where the two are of the past. */
export function diffLines(
  { features, contracts, models, pipeline }: DefinitionsDiff,
  readinessOf: (name: string) => string | undefined = () => undefined,
): readonly string[] {
  const ready = (name: string): string => {
    const text = readinessOf(name)
    return text === undefined ? '' : ` (${text})`
  }
  return [
    ...section('Features', [
      ...features.added.map(({ name, text }) => `+ ${name}: ${text}${ready(name)}`),
      ...features.changed.map(({ name, words }) => `~ ${name}: ${words.join('; ')}${ready(name)}`),
      ...features.renamed.map(({ from, to }) => `= ${to}, which was ${from}`),
      ...features.dropped.map(({ name, text }) => `- ${name}: ${text}`),
    ]),
    ...section('Contracts', namedLines(contracts)),
    ...section('Models', namedLines(models)),
    ...section(
      'Pipeline',
      pipeline.map(words => `~ ${words}`),
    ),
  ]
}

export function readinessText(readiness: Readiness): string {
  if (readiness.kind === 'at-once') return 'right at once'
  const { fills } = readiness
  switch (fills.by) {
    case 'time':
      return `null until a backfill, or up to ${roundedText(fills.afterMs)} after a user's first event since`
    case 'events':
      return `null until a backfill, or until ${fills.events === 1 ? "the user's next event" : `${fills.events} more events of the user`}${fills.afterMs === null ? '' : `, or up to ${roundedText(fills.afterMs)}`}`
    case 'nothing':
      return 'null until a backfill'
  }
}

function roundedText(ms: number): string {
  const unit = ms >= 2 * 86_400_000 ? 3_600_000 : 60_000
  const rounded = Math.ceil(ms / unit) * unit
  const days = Math.floor(rounded / 86_400_000)
  const rest = rounded - days * 86_400_000
  return [...(days > 0 ? [`${days}d`] : []), ...(rest > 0 || days === 0 ? [durationText(rest)] : [])].join(' ')
}

function namedLines({ added, dropped, changed }: NamedChanges): readonly string[] {
  return [
    ...added.map(name => `+ ${name}`),
    ...changed.map(({ name, words }) => `~ ${name}: ${words.join('; ')}`),
    ...dropped.map(name => `- ${name}`),
  ]
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map(line => `  ${line}`)]
}
