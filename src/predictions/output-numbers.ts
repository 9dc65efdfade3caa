// The numbers of a prediction by name: what is compared, charted and explained of whatever a model says. A label is none.
import type { Prediction } from './evaluated-user.ts'

/** `probability`; of scores one for each class: `risk.high`. */
export function outputNumbers(value: Prediction['value'] = {}): Readonly<Record<string, number>> {
  const numbers: Record<string, number> = {}
  for (const [name, output] of Object.entries(value)) {
    if (typeof output === 'number') numbers[name] = output
    if (typeof output !== 'object') continue
    for (const [each, score] of Object.entries(output)) numbers[`${name}.${each}`] = score
  }
  return numbers
}
