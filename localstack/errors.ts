import { MillraceError, type MillraceErrorOptions } from '../src/platform/errors.ts'

/** The base of what the local cloud throws on purpose. */
export class LocalCloudError extends MillraceError {}

/** The template asks for something that the local cloud cannot do; it never pretends to. */
export class TemplateError extends LocalCloudError {
  /** Logical id of the resource, output or condition at fault. */
  readonly logicalId: string | undefined

  constructor(message: string, options: Partial<MillraceErrorOptions> & { readonly logicalId?: string } = {}) {
    super(options.logicalId === undefined ? message : `${options.logicalId}: ${message}`, {
      code: 'template-unsupported',
      ...options,
    })
    this.logicalId = options.logicalId
  }
}

/** A function was run and failed: it threw, timed out, ran out of memory or was killed. */
export class FunctionError extends LocalCloudError {
  readonly functionName: string
  /** As Lambda names it: `Error`, `Sandbox.Timedout`, `Runtime.ExitError`, … */
  readonly errorType: string

  constructor(functionName: string, errorType: string, message: string) {
    super(`${functionName}: ${errorType}: ${message}`, { code: 'function-error', retriable: true })
    this.functionName = functionName
    this.errorType = errorType
  }
}
