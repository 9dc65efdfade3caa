// All features of a user as one set, checked as a whole: names, what derived features name, and that nothing goes in a circle.
import { DefinitionError } from '../event/errors.ts'
import { namesIn } from './expression.ts'
import type { DerivedFeature, Feature, FeatureSet } from './feature.ts'

const NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/
/** Columns that a snapshot has beside the features; SQL does not tell upper from lower case. */
const RESERVED_NAMES = ['user_id', 'as_of', 'version', 'pending', 'predictions', '__proto__']
/** Each feature is evaluated at every event of its user; beyond this a batch no longer fits a function's time. */
export const FEATURES_MAX = 500

/** Makes a name that is no feature of the set a compile error, which says the name. */
type WithKnownNames<Features> = {
  readonly [Name in keyof Features]: Features[Name] extends DerivedFeature<unknown, infer Names>
    ? string extends Names
      ? unknown
      : [Exclude<Names, keyof Features>] extends [never]
        ? unknown
        : { readonly 'no such feature': Exclude<Names, keyof Features> }
    : unknown
}

/** All features of a user. Throws DefinitionError. */
export function features<const Features extends Readonly<Record<string, Feature>>>(
  input: Features & WithKnownNames<Features>,
): FeatureSet<Features> {
  const names = Object.keys(input)
  if (names.length > FEATURES_MAX) throw new DefinitionError(`${names.length} features`, `Keep to ${FEATURES_MAX}.`)
  const taken = new Set(RESERVED_NAMES)
  for (const name of names) {
    if (taken.has(name.toLowerCase())) {
      throw new DefinitionError(
        `The feature name "${name}" is taken, upper and lower case being one`,
        'Rename the feature.',
      )
    }
    taken.add(name.toLowerCase())
    if (!NAME_PATTERN.test(name))
      throw new DefinitionError(`"${name}" is not a feature name`, 'Use letters, digits and _.')
  }
  inOrderOfNeed(input)
  return { kind: 'features', features: input }
}

/** Feature names, each after those that it names. Throws DefinitionError where one names nothing, or itself on a way round. */
export function inOrderOfNeed(features: Readonly<Record<string, Feature>>): readonly string[] {
  const done = new Set<string>()
  const open: string[] = []
  const visit = (name: string, namedBy: string | undefined): void => {
    if (done.has(name)) return
    const feature = Object.hasOwn(features, name) ? features[name] : undefined
    if (feature === undefined) {
      throw new DefinitionError(
        `${namedBy} names the feature "${name}", which is not defined`,
        'Define it in this set.',
      )
    }
    if (open.includes(name)) {
      throw new DefinitionError(
        `Features go in a circle: ${[...open.slice(open.indexOf(name)), name].join(' → ')}`,
        'Let none of them name itself, however far round.',
      )
    }
    open.push(name)
    if (feature.kind === 'derived') for (const named of namesIn(feature.expression)) visit(named, name)
    open.pop()
    done.add(name)
  }
  for (const name of Object.keys(features)) visit(name, undefined)
  return [...done]
}
