// Reads the properties of a resource by a schema, with an error that names the resource. CloudFormation lets numbers and
// booleans be written as text, so these schemas do too.
import * as z from 'zod/mini'
import { TemplateError } from './errors.ts'

/** zod/mini comes without messages. */
export const ENGLISH = { error: z.locales.en().localeError }

export function readProperties<Schema extends z.ZodMiniType>(
  resource: { readonly logicalId: string; readonly properties: unknown },
  schema: Schema,
): z.infer<Schema> {
  const parsed = schema.safeParse(resource.properties, ENGLISH)
  if (parsed.success) return parsed.data
  throw new TemplateError(z.prettifyError(parsed.error), { logicalId: resource.logicalId })
}

export const numeric = z.union([z.number(), z.pipe(z.string().check(z.regex(/^-?\d+$/)), z.transform(Number))])

export const flag = z.union([
  z.boolean(),
  z.pipe(
    z.enum(['true', 'false']),
    z.transform(text => text === 'true'),
  ),
])

/** A text, or what CloudFormation makes one of. */
export const text = z.union([z.string(), z.pipe(z.union([z.number(), z.boolean()]), z.transform(String))])
