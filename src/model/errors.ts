// What is wrong with a model, its artifact or its registry. Nothing with one of these codes ever replaces a model that works.
import { MillraceError } from '../platform/errors.ts'

/** Its codes are explained one by one in docs/model-safety.md, and a test holds that page to the code. */
export class ModelError extends MillraceError {}
