// `millrace resume`: a function that was paused goes on where it stopped.
import type { Command } from './command.ts'
import { type Switched, sinceText, SWITCH_OPTIONS, switchedJson, switchFunction } from './mapping-switch.ts'

const WHY_DEFAULT = 'by hand'

export const command: Command = {
  name: 'resume',
  summary: 'Let a function that was paused go on where it stopped.',
  positionals: [],
  options: {
    ...SWITCH_OPTIONS,
    why: { type: 'string', value: 'TEXT', description: `Why, for the history. Default: ${WHY_DEFAULT}.` },
  },
  changesThings: true,
  async run(context, args) {
    const switched = await switchFunction(context, args, { isEnabled: true, why: args.text('why') ?? WHY_DEFAULT })
    context.result(switchedJson(switched), () => describe(switched))
  },
}

function describe(switched: Switched): string[] {
  const { key, outcome } = switched
  if (outcome === 'planned') return [`Would resume ${key}.`]
  if (outcome === 'already') return [`${key} runs${sinceText(switched)}; nothing was changed.`]
  return [`${key} runs again, from where it stopped.`, 'Its lag shrinks from now on: millrace status shows it.']
}
