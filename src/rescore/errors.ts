import { MillraceError } from '../platform/errors.ts'

export class RescoreError extends MillraceError {}
