// A CloudFormation template as `osls package` writes it, read once and checked for its outer shape. Properties stay
// unresolved here: what Ref and Fn::GetAtt mean is decided in resolve-intrinsics.ts.
import { readFile } from 'node:fs/promises'
import * as z from 'zod/mini'
import { LocalCloudError } from './errors.ts'
import { ENGLISH } from './read-properties.ts'

const parameterSchema = z.looseObject({ Type: z.string(), Default: z.optional(z.union([z.string(), z.number()])) })

const resourceSchema = z.looseObject({
  Type: z.string(),
  Condition: z.optional(z.string()),
  Properties: z.optional(z.record(z.string(), z.unknown())),
})

const templateSchema = z.looseObject({
  Resources: z.record(z.string(), resourceSchema),
  Parameters: z.optional(z.record(z.string(), parameterSchema)),
  Conditions: z.optional(z.record(z.string(), z.unknown())),
  Mappings: z.optional(z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown())))),
  Outputs: z.optional(z.record(z.string(), z.looseObject({ Value: z.unknown(), Condition: z.optional(z.string()) }))),
})

export type CloudFormationTemplate = z.infer<typeof templateSchema>
export type TemplateResource = z.infer<typeof resourceSchema>

export async function readTemplate(file: string): Promise<CloudFormationTemplate> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new LocalCloudError(`Cannot read the template ${file}`, {
      code: 'template-missing',
      next: 'Package the functions first: npm run package -- --arch x64 (or arm64, as your machine is).',
      cause,
    })
  }
  return parseTemplate(text, file)
}

export function parseTemplate(text: string, file: string): CloudFormationTemplate {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new LocalCloudError(`${file} is not JSON`, { code: 'template-invalid', cause })
  }
  const parsed = templateSchema.safeParse(json, ENGLISH)
  if (parsed.success) return parsed.data
  throw new LocalCloudError(`${file} is not a CloudFormation template: ${z.prettifyError(parsed.error)}`, {
    code: 'template-invalid',
  })
}
