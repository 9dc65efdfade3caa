// The words of a command line as a command asks for them: by name, checked, with an error that names the option.
import { UsageError } from './errors.ts'

type OptionValue = string | boolean | readonly (string | boolean)[] | undefined

export interface CommandArguments {
  /** A positional that is not optional. */
  positional(name: string): string
  optionalPositional(name: string): string | undefined
  /** The words of the positional that ends in `...`; none is fine. */
  rest(): readonly string[]
  /** A string option, if given (or its default). */
  text(option: string): string | undefined
  /** A string option that must be there. */
  requiredText(option: string): string
  /** A repeatable string option. */
  texts(option: string): readonly string[]
  flag(option: string): boolean
  /** A string option that is a whole number from `min` to `max`. */
  wholeNumber(option: string, range: { readonly min: number; readonly max: number }): number | undefined
}

export function commandArguments(
  positionals: ReadonlyMap<string, string>,
  options: Readonly<Record<string, OptionValue>>,
  rest: readonly string[] = [],
): CommandArguments {
  const text = (name: string): string | undefined => {
    const value = options[name]
    return typeof value === 'string' ? value : undefined
  }
  return {
    positional: name => positionals.get(name) ?? missing(name),
    optionalPositional: name => positionals.get(name),
    rest: () => rest,
    text,
    requiredText: name => text(name) ?? missing(`--${name}`),
    texts: name => {
      const value = options[name]
      return Array.isArray(value) ? value.filter(one => typeof one === 'string') : []
    },
    flag: name => options[name] === true,
    wholeNumber: (name, { min, max }) => {
      const value = text(name)
      if (value === undefined) return undefined
      const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN
      if (number >= min && number <= max) return number
      throw new UsageError(`--${name} is "${value}"`, `Give a whole number from ${min} to ${max}.`)
    },
  }
}

function missing(name: string): never {
  throw new UsageError(`${name} is missing`, 'See --help of this command.')
}
