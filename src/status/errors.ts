import { MillraceError } from '../platform/errors.ts'

/** Lambda or CloudWatch did not answer what was asked, or a mapping did not become what was wanted. */
export class OperationError extends MillraceError {}
