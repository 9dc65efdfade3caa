// What is wrong with a model, its artifact or its registry. Nothing with one of these codes ever replaces a model that works.
import { MillraceError } from '../platform/errors.ts'

/**
 * `artifact-invalid`, `artifact-too-big`, `artifact-hash`, `manifest-invalid`, `model-refused`, `model-unloadable`,
 * `model-contract`, `model-run-failed`.
 */
export class ModelError extends MillraceError {}
