// Unpacks a function's zip into a folder of its own. Names that would leave the folder are refused, and so is more than
// Lambda takes, so that a function that is too large is found before a deploy.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unzip, type Unzipped } from 'fflate'
import { LocalCloudError } from './errors.ts'

/** Lambda's limit on a function's unzipped code and layers: 250 MB. */
const UNZIPPED_BYTES_MAX = 250 * 1024 * 1024

export async function unpackFunction(zipFile: string, folder: string): Promise<void> {
  const entries = await entriesOf(zipFile)
  for (const [name, content] of Object.entries(entries)) {
    if (name.endsWith('/')) continue
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
}

async function entriesOf(zipFile: string): Promise<Unzipped> {
  let zip: Uint8Array
  try {
    zip = await readFile(zipFile)
  } catch (cause) {
    throw new LocalCloudError(`Cannot read the function's code ${zipFile}`, {
      code: 'function-zip-missing',
      next: 'Package the functions first: npm run package.',
      cause,
    })
  }
  let bytes = 0
  const unsafe: string[] = []
  const entries = await new Promise<Unzipped>((resolve, reject) => {
    const filter = ({ name, originalSize }: { name: string; originalSize: number }): boolean => {
      bytes += originalSize
      if (!isInside(name)) unsafe.push(name)
      return unsafe.length === 0 && bytes <= UNZIPPED_BYTES_MAX
    }
    unzip(zip, { filter }, (error, unzipped) => (error === null ? resolve(unzipped) : reject(error)))
  })
  if (unsafe.length > 0) {
    throw new LocalCloudError(`${zipFile} has an entry that would leave its folder: ${unsafe[0]}`, {
      code: 'function-zip-unsafe',
    })
  }
  if (bytes > UNZIPPED_BYTES_MAX) {
    throw new LocalCloudError(`${zipFile} unpacks to ${bytes} bytes, more than Lambda's ${UNZIPPED_BYTES_MAX}`, {
      code: 'function-zip-too-large',
    })
  }
  return entries
}

/** Backslash and colon are separators on Windows; NUL ends a name for the operating system. */
const FORBIDDEN = ['\\', ':', '\u0000']

/** Relative, with forward slashes, and without a step upwards. */
function isInside(name: string): boolean {
  return (
    !name.startsWith('/') && !name.split('/').includes('..') && !FORBIDDEN.some(character => name.includes(character))
  )
}
