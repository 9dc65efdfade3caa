// `import 'millrace/testing/vitest'`: gives Vitest's `expect` the matchers, with the pipeline's own names and types.
import { expect } from 'vitest'
import type { FeatureSet, ValuesOf } from '../features/feature.ts'
import { toHaveFeature, toHaveFeatures } from './feature-matchers.ts'
import type { TestUser } from './user-of.ts'

type ValuesFor<T> = T extends TestUser<infer Set extends FeatureSet> ? ValuesOf<Set> : never

declare module 'vitest' {
  interface Matchers<R, T> {
    /** The features that are named have these values now: a GET would answer them. */
    toHaveFeatures(expected: Partial<ValuesFor<T>>): R
    /** The feature has this value now. */
    toHaveFeature<Name extends keyof ValuesFor<T> & string>(name: Name, value: ValuesFor<T>[Name]): R
  }
}

expect.extend({ toHaveFeatures, toHaveFeature })
