// Where in AWS Glue the catalogue is mirrored, by one variable for functions and command line alike.
import { MillraceError } from '../platform/errors.ts'
import type { ResourceNames } from './resource-names.ts'

/** The same for functions and the command line. Empty: there is no mirror. */
export const PREFIX_VARIABLE = 'MILLRACE_GLUE_DATABASE_PREFIX'
/** A name of a database in Glue has 255 characters at most, and the catalogue's own name comes after the prefix. */
const PREFIX_PATTERN = /^[a-z][a-z0-9_]{0,100}$/

/** undefined where there is none. Throws MillraceError. */
export function databasePrefix(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  if (PREFIX_PATTERN.test(text)) return text
  throw new MillraceError(`${PREFIX_VARIABLE} is "${text}", which no database of Glue can begin with`, {
    code: 'environment-invalid',
    next: 'Use small letters, digits and _, a letter first: shop_dev__',
  })
}

/** Two stages of one account have databases of their own: `shop_dev__`. */
export function suggestedPrefix({ catalogTable }: Pick<ResourceNames, 'catalogTable'>): string {
  return `${catalogTable.replace(/-catalog$/, '').replaceAll('-', '_')}__`
}
