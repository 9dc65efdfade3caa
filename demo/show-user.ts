// One user as an application reads it: two GETs over HTTP, and what they weigh.
import type { DemoCloud } from './cloud.ts'
import type { Phases } from './phases.ts'

interface UserAnswer {
  readonly features: {
    readonly asOf: number
    readonly freshUntil?: number
    readonly values: Readonly<Record<string, unknown>>
  }
  readonly predictions: {
    readonly models: Readonly<
      Record<string, { readonly status: string; readonly value?: Readonly<Record<string, number>> }>
    >
  }
}

export async function showUser({ local }: DemoCloud, userId: string, demo: Phases): Promise<void> {
  const response = await fetch(`${local.endpoint}/users/${encodeURIComponent(userId)}`)
  if (!response.ok) throw new Error(`GET /users/${userId} answered ${response.status}: ${await response.text()}`)
  const answer = (await response.json()) as UserAnswer
  const { values, asOf, freshUntil } = answer.features
  demo.say(
    `GET /users/${userId}: ${response.headers.get('millrace-source')}, as of ${instant(asOf)}, until ${instant(freshUntil)}`,
  )
  const names = Object.keys(values)
  for (let index = 0; index < names.length; index += 4) {
    demo.say(
      names
        .slice(index, index + 4)
        .map(name => `${name} ${shown(values[name])}`.padEnd(26))
        .join(''),
    )
  }
  for (const [name, { status, value }] of Object.entries(answer.predictions.models)) {
    demo.say(`${name}: ${status} ${JSON.stringify(value ?? {})}`)
  }
}

function instant(ms: number | undefined): string {
  return ms === undefined ? 'the next event' : new Date(ms).toISOString()
}

function shown(value: unknown): string {
  return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(3) : String(value)
}
