// `millrace pause`: a function that reads the stream is stopped, for as long as what it would do is worse than being late.
import type { Command } from './command.ts'
import { type Switched, sinceText, SWITCH_OPTIONS, switchedJson, switchFunction } from './mapping-switch.ts'

export const command: Command = {
  name: 'pause',
  summary: 'Stop a function that reads the stream; its events wait there.',
  positionals: [],
  options: {
    ...SWITCH_OPTIONS,
    why: {
      type: 'string',
      value: 'TEXT',
      required: true,
      description: 'Why, for the history and for `millrace status`.',
    },
  },
  changesThings: true,
  async run(context, args) {
    const switched = await switchFunction(context, args, { isEnabled: false, why: args.requiredText('why') })
    context.result(switchedJson(switched), () => describe(switched))
  },
}

function describe(switched: Switched): string[] {
  const { key, outcome } = switched
  if (outcome === 'planned') return [`Would pause ${key}.`]
  const others = key === 'recompute' ? 'The archive goes on.' : 'Features and predictions go on being recomputed.'
  return [
    outcome === 'already' ? `${key} is paused${sinceText(switched)}; nothing was changed.` : `${key} is paused.`,
    'Its lag grows from now on. Nothing is lost while the stream keeps the events: seven days, unless you set it otherwise.',
    others,
    `To let it go on where it stopped: millrace resume${key === 'recompute' ? '' : ` --function ${key}`}`,
  ]
}
