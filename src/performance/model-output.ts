// Which number of what a model says is held against outcomes, by the papers of its version.
import type { ArtifactManifest } from '../model/artifact-manifest.ts'
import { MillraceError } from '../platform/errors.ts'

/** As `outputNumbers` names them: `probability`, `risk.high`. */
export function numberNames({ outputs }: Pick<ArtifactManifest, 'outputs'>): readonly string[] {
  return outputs.flatMap(({ name, kind, classes = [] }) =>
    kind === 'number' ? [name] : kind === 'scores' ? classes.map(each => `${name}.${each}`) : [],
  )
}

/**
 * The one that is asked for; else the only number, or of two scores that of the second class, which is the one that is looked for
 * wherever classes are 0 and 1 or no and yes. Throws MillraceError `output-unknown`, `output-ambiguous`.
 */
export function outputOf(manifest: Pick<ArtifactManifest, 'name' | 'outputs'>, asked: string | undefined): string {
  const names = numberNames(manifest)
  const list = names.length === 0 ? 'It has none that is a number.' : `It has: ${names.join(', ')}.`
  if (asked !== undefined) {
    if (names.includes(asked)) return asked
    throw new MillraceError(`${manifest.name} has no output "${asked}"`, { code: 'output-unknown', next: list })
  }
  const [first, second, ...more] = names
  if (first !== undefined && second === undefined) return first
  const isOfTwoClasses = manifest.outputs.some(({ kind, classes }) => kind === 'scores' && classes?.length === 2)
  if (second !== undefined && more.length === 0 && isOfTwoClasses) return second
  throw new MillraceError(`Which output of ${manifest.name} is meant is not clear`, {
    code: 'output-ambiguous',
    next: names.length === 0 ? list : `Say it with --output. ${list}`,
  })
}
