// Fires the template's schedules: each at its minutes while the cloud runs, and any of them at once when asked.
import { randomUUID } from 'node:crypto'
import { type Clock, toRfc3339 } from '../src/platform/clock.ts'
import { MINUTE_MS } from '../src/platform/duration.ts'
import type { SchedulePlan } from './deployment-plan.ts'
import { LocalCloudError } from './errors.ts'
import { type InvokeOutcome, resultOf } from './invoke-outcome.ts'
import { ACCOUNT_ID, REGION } from './resource-identity.ts'
import { parseSchedule, type Schedule } from './schedule-expression.ts'

export interface Scheduler {
  /** By logical id, or by the name of the function that it starts. Resolves with the function's result. */
  readonly fire: (name: string) => Promise<unknown>
  readonly stop: () => void
}

export interface SchedulerOptions {
  readonly schedules: readonly SchedulePlan[]
  readonly invoke: (functionName: string, event: string) => Promise<InvokeOutcome>
  readonly clock: Clock
  readonly log: (line: string) => void
}

export function startScheduler({ schedules, invoke, clock, log }: SchedulerOptions): Scheduler {
  const startedMs = clock()
  const parsed = schedules.map(plan => ({ plan, schedule: parseSchedule(plan.expression) }))
  let timer: NodeJS.Timeout | undefined
  let lastMinuteMs = startOfMinute(startedMs)

  async function fire(plan: SchedulePlan): Promise<unknown> {
    const outcome = await invoke(plan.functionName, plan.input ?? JSON.stringify(scheduledEvent(plan, clock())))
    return resultOf(plan.functionName, outcome)
  }

  function tick(): void {
    const nowMinuteMs = startOfMinute(clock())
    for (const { plan, schedule } of parsed) {
      // Minutes that a sleeping laptop missed are not made up for, as EventBridge does not either.
      if (nowMinuteMs === lastMinuteMs || !plan.isEnabled || !isDue(schedule, nowMinuteMs, startOfMinute(startedMs)))
        continue
      fire(plan).catch((error: unknown) => log(`${plan.logicalId}: ${String(error)}`))
    }
    lastMinuteMs = nowMinuteMs
    wait()
  }

  function wait(): void {
    timer = setTimeout(tick, MINUTE_MS - (clock() % MINUTE_MS))
    timer.unref()
  }

  if (schedules.length > 0) wait()
  return {
    fire: async name => {
      const plan = schedules.find(({ logicalId, functionName }) => logicalId === name || functionName === name)
      if (plan !== undefined) return fire(plan)
      const known = schedules.map(({ logicalId }) => logicalId).join(', ') || 'none'
      throw new LocalCloudError(`There is no schedule ${name}; there are: ${known}`, { code: 'schedule-not-found' })
    },
    stop: () => clearTimeout(timer),
  }
}

function isDue(schedule: Schedule, minuteMs: number, startMinuteMs: number): boolean {
  return schedule.kind === 'cron' ? schedule.isDue(minuteMs) : (minuteMs - startMinuteMs) % schedule.everyMs === 0
}

function startOfMinute(ms: number): number {
  return ms - (ms % MINUTE_MS)
}

/** The event that a rule or schedule without an input of its own sends. */
function scheduledEvent({ arn, source }: SchedulePlan, nowMs: number): object {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source,
    account: ACCOUNT_ID,
    time: toRfc3339(startOfMinute(nowMs)).replace('.000Z', 'Z'),
    region: REGION,
    resources: [arn],
    detail: source === 'aws.scheduler' ? '{}' : {},
  }
}
