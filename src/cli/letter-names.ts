// A letter by its name, as `deadletters list` prints it: STREAM/SHARD/SEQUENCE, or the sequence alone where only one has it.
import type { DeadLetter } from '../archive/dead-letters.ts'
import { CommandError, UsageError } from './errors.ts'

export function letterName({ stream, shard, sequence }: Pick<DeadLetter, 'stream' | 'shard' | 'sequence'>): string {
  return `${stream}/${shard}/${sequence}`
}

/** Throws UsageError for what cannot be a name. */
export function checkLetterName(name: string): string {
  if (/^\d{1,56}$/.test(name) || /^[^/]+@[^/]+\/[^/]+\/\d{1,56}$/.test(name)) return name
  throw new UsageError(
    `"${name}" is no letter's name`,
    'Give STREAM/SHARD/SEQUENCE, or the sequence alone, as `millrace deadletters list` prints it.',
  )
}

export function isNamed(letter: DeadLetter, name: string): boolean {
  return name === letter.sequence || name === letterName(letter)
}

/** The only one of those that were found. Throws CommandError. */
export function onlyLetter<Letter extends DeadLetter>(found: readonly Letter[], name: string): Letter {
  const [letter, ...others] = found
  if (letter === undefined) {
    throw new CommandError(`There is no letter ${name}`, {
      code: 'letter-not-found',
      next: '`millrace deadletters list --all` shows them all.',
    })
  }
  if (others.length === 0) return letter
  throw new CommandError(`${found.length} letters have the sequence ${name}`, {
    code: 'letter-ambiguous',
    next: `Name one of ${found.map(letterName).join(', ')}.`,
  })
}
