// A version goes no further without golden rows: they are what tells, on another machine and years later, that it is still the model
// that was made. What is in the catalogue already is read and served as it was.
import type { ArtifactManifest } from './artifact-manifest.ts'
import { ModelError } from './errors.ts'
import { GOLDEN_FILE } from './read-artifact.ts'

/** Format 1 had none. Throws ModelError `artifact-no-golden`. */
export function refuseWithoutGolden({ name, formatVersion, files }: ArtifactManifest): void {
  if (formatVersion === 1 || Object.hasOwn(files, GOLDEN_FILE)) return
  throw new ModelError(`The artifact of ${name} has no golden rows: there is no ${GOLDEN_FILE} among its files`, {
    code: 'artifact-no-golden',
    next: `Pack it with \`millrace model pack ${name}\`, which makes golden rows up from the distributions of its inputs, or takes those of --golden FILE.`,
  })
}
