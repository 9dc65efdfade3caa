// What `toHaveFeatures` and `toHaveFeature` say, for any runner with Jest's way of extending `expect`: `vitest.ts` gives them to Vitest.
import { TestingError } from './errors.ts'
import { TestUser } from './user-of.ts'

/** What the runner hands to a matcher. */
export interface MatcherContext {
  readonly isNot?: boolean
  readonly equals: (a: unknown, b: unknown) => boolean
  readonly utils: { readonly diff: (expected: unknown, actual: unknown) => string | null | undefined }
}

export interface MatcherResult {
  readonly pass: boolean
  readonly message: () => string
}

type Values = Readonly<Record<string, unknown>>

/** The features that are named, and no other, must be equal: numbers to the last digit, unless a matcher such as closeTo stands there. */
export function toHaveFeatures(this: MatcherContext, received: unknown, expected: Values): MatcherResult {
  const user = testUser(received)
  const values: Values = user.features()
  const unknown = Object.keys(expected).find(name => !Object.hasOwn(values, name))
  if (unknown !== undefined) {
    throw new TestingError(`The pipeline has no feature "${unknown}"`, {
      code: 'feature-unknown',
      next: `Its features: ${Object.keys(values).join(', ')}.`,
    })
  }
  const actual = Object.fromEntries(Object.keys(expected).map(name => [name, values[name]]))
  return {
    pass: this.equals(actual, expected),
    message: () =>
      this.isNot === true
        ? `${user.id} has these features at ${user.now}, and should not: ${JSON.stringify(actual)}`
        : [`${user.id} at ${user.now}`, this.utils.diff(expected, actual), ...whatElse(user, expected)].join('\n\n'),
  }
}

export function toHaveFeature(this: MatcherContext, received: unknown, name: string, value: unknown): MatcherResult {
  return toHaveFeatures.call(this, received, { [name]: value })
}

/** What explains a difference that the values do not: features that wait, and events that are in none. */
function whatElse(user: TestUser, expected: Values): string[] {
  const pending = Object.entries(user.pending()).filter(([name]) => Object.hasOwn(expected, name))
  const { folded, ...others } = user.outcomes
  const aside = Object.entries(others).filter(([, count]) => count > 0)
  return [
    ...pending.map(([name, reason]) => `${name} is ${reason}`),
    ...(aside.length === 0
      ? []
      : [`Of its events, ${folded} folded, ${aside.map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`]),
  ]
}

function testUser(received: unknown): TestUser {
  if (received instanceof TestUser) return received
  throw new TestingError('Features are expected of something else than a user', {
    code: 'not-a-test-user',
    next: 'Write expect(userOf(pipeline, { at })).toHaveFeatures({ … }).',
  })
}
