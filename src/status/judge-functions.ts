// The line of a function: whether it is deployed, what its event source mapping does, how far behind it is, and how its invocations end.
import { lagOf, type Lag } from './lag.ts'
import type { StatusLimits } from './limits.ts'
import { pausedWhy } from './operations-log.ts'
import type { DeployedMapping } from './ports.ts'
import { type FunctionMeasures, type FunctionReading, isRead, type Reading, type Readings } from './readings.ts'
import { type StatusLine, unwell, well } from './status-line.ts'
import { ageText, countText } from './texts.ts'

/** What is wrong with a function, and what helps. */
interface Finding {
  readonly text: string
  readonly verdict: StatusLine['verdict']
  readonly next: string | undefined
  readonly values?: StatusLine['values']
}

export function functionLine(found: FunctionReading, readings: Readings, limits: StatusLimits): StatusLine {
  const { key, deployed, mappings, measured } = found
  if (isRead(deployed) && deployed.value === undefined) {
    return unwell(key, 'is not deployed', { next: 'deploy it; check --stage and the region' })
  }
  const parts = [
    ...unread(deployed),
    ...(mappings === undefined || !isRead(deployed) ? [] : mappingFindings(found, mappings, readings, limits)),
    ...(isRead(measured) ? measureFindings(key, measured.value, limits) : unread(measured)),
  ]
  const worst = parts.find(({ verdict }) => verdict === 'unwell') ?? parts.find(({ verdict }) => verdict === 'unknown')
  // Two sources that are down for one reason say it once.
  const text = [...new Set(parts.map(part => part.text))].join(', ')
  const values = Object.fromEntries(parts.flatMap(part => Object.entries(part.values ?? {})))
  if (worst === undefined) return well(key, text, values)
  return { name: key, verdict: worst.verdict, text, next: worst.next, values }
}

function unread(reading: Reading<unknown>): Finding[] {
  if (isRead(reading)) return []
  return [{ text: `cannot be read: ${reading.problem}`, verdict: 'unknown', next: reading.next }]
}

function mappingFindings(
  found: FunctionReading,
  mappings: Reading<readonly DeployedMapping[]>,
  readings: Readings,
  limits: StatusLimits,
): Finding[] {
  if (!isRead(mappings)) return unread(mappings)
  if (mappings.value.length === 0) {
    return [{ text: 'reads no stream', verdict: 'unwell', next: 'deploy cloud/mappings.yml' }]
  }
  return mappings.value.flatMap(mapping => [
    stateFinding(found, mapping),
    ...lagFindings(found, mapping, readings, limits),
  ])
}

function stateFinding({ key, switched }: FunctionReading, { state }: DeployedMapping): Finding {
  const values = { state }
  if (state !== 'Disabled' && state !== 'Disabling') {
    const isWell = ['Enabled', 'Enabling', 'Updating'].includes(state)
    const next = isWell ? undefined : 'look at its event source mapping in Lambda'
    return { text: state.toLowerCase(), verdict: isWell ? 'well' : 'unwell', next, values }
  }
  const entry = switched !== undefined && isRead(switched) ? switched.value : undefined
  const why = entry === undefined ? undefined : pausedWhy(entry)
  const by = entry === undefined || why === undefined ? ', not by millrace' : ` by ${entry.who} (${why})`
  return {
    text: `${state === 'Disabled' ? 'paused' : 'pausing'}${by}`,
    verdict: 'unwell',
    next: `millrace resume --function ${key}, once what it was paused for is over`,
    values,
  }
}

function lagFindings(
  { key, measured }: FunctionReading,
  mapping: DeployedMapping,
  { incoming, nowMs }: Readings,
  limits: StatusLimits,
): Finding[] {
  if (!isRead(measured)) return []
  if (!isRead(incoming)) return unread(incoming)
  const isDelivering = mapping.state !== 'Disabled'
  const lag = lagOf({
    nowMs,
    pausedMs: isDelivering ? undefined : (mapping.changedMs ?? nowMs),
    ages: measured.value.ages,
    incoming: incoming.value,
  })
  const isWell = lag.ms <= limits.lagMs
  const next = isDelivering ? `look into the log of ${key}: it fails, or is slower than events come in` : undefined
  return [{ text: lagText(lag), verdict: isWell ? 'well' : 'unwell', next, values: { lagMs: lag.ms } }]
}

function lagText({ ms, kind }: Lag): string {
  if (kind === 'idle') return 'no events waiting'
  return kind === 'waiting' ? `lag ${ageText(ms)}, nothing delivered since` : `lag ${ageText(ms)}`
}

function measureFindings(
  key: string,
  { invocations, errors, throttles }: FunctionMeasures,
  limits: StatusLimits,
): Finding[] {
  const one = (count: number, what: string, max: number, next: string): Finding => ({
    text: `${countText(count)} ${what}`,
    verdict: count <= max ? 'well' : 'unwell',
    next: count <= max ? undefined : next,
    values: { [what]: count },
  })
  return [
    one(invocations, 'invocations', Number.POSITIVE_INFINITY, ''),
    one(errors, 'errors', limits.errors, `look into the log of ${key}`),
    one(throttles, 'throttles', limits.throttles, `give ${key} more concurrency, or the account`),
  ]
}
