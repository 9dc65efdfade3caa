// A model's papers as lines for people: what it is for, who made it from what, what goes in and comes out, and how good it was.
import type { ArtifactManifest, ModelInput, ModelOutput } from '../model/artifact-manifest.ts'
import type { Distribution } from '../model/distribution.ts'
import type { Artifact } from '../model/read-artifact.ts'
import { textTable } from './text-table.ts'

/** Of a fingerprint; enough to see that two differ. */
const DIGITS_SHOWN = 12
const CLASSES_SHOWN = 8

export function paperLines({ manifest, golden }: Pick<Artifact, 'manifest' | 'golden'>): readonly string[] {
  const { description, owner, who, when, commit, licence, tags, changes, performance } = manifest
  const goldenText =
    golden === undefined ? 'none' : `${golden.inputs.length}${golden.synthetic ? ', made up' : ', of real users'}`
  const facts: (readonly [string, string | undefined])[] = [
    ['owner', owner],
    ['trained', `by ${who} at ${when}${commit === undefined ? '' : `, commit ${commit}`}`],
    ['on', trainingText(manifest)],
    ['with', membersText(manifest.hyperparameters)],
    ['libraries', membersText(manifest.libraries)],
    ['licence', licence],
    ['tags', tags?.join(', ')],
    ['golden rows', goldenText],
    ['reproduce', manifest.reproduce?.command.join(' ')],
    ['changed when packed', changes.length === 0 ? undefined : changes.join('; ')],
  ]
  const known = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined && fact[1] !== '')
  const width = Math.max(...known.map(([name]) => name.length))
  return [
    description,
    '',
    ...known.map(([name, text]) => `${name.padEnd(width)}  ${text}`),
    '',
    ...textTable(['input', 'type', 'missing', 'fingerprint', 'trained on'], manifest.inputs.map(inputRow)),
    '',
    ...textTable(['output', 'kind', 'can be', 'meaning'], manifest.outputs.map(outputRow)),
    ...(performance.length === 0
      ? []
      : [
          '',
          ...textTable(
            ['metric', 'slice', 'value'],
            performance.map(({ metric, slice, value }) => [metric, slice, value]),
          ),
        ]),
  ]
}

function trainingText({ trainingData }: ArtifactManifest): string {
  const { source, rows, from, to, table, partition, batchId } = trainingData
  const batch = table === undefined ? '' : `; ${table}${partition === undefined ? '' : `, partition ${partition}`}`
  return `${source}: ${rows} rows of ${from} to ${to}${batch}${batchId === undefined ? '' : `, batch ${batchId}`}`
}

function membersText(members: Readonly<Record<string, unknown>>): string {
  return Object.entries(members)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
}

function inputRow({ name, type, missing, fingerprint, distribution }: ModelInput): string[] {
  return [name, type, JSON.stringify(missing), fingerprint.slice(0, DIGITS_SHOWN), distributionText(distribution)]
}

function distributionText(distribution: Distribution | undefined): string {
  if (distribution === undefined) return ''
  const { count, missing } = distribution
  const share = count === 0 ? '' : `${((missing / count) * 100).toFixed(1)} % missing`
  if (distribution.kind === 'empty') return `nothing in ${count} rows`
  if (distribution.kind === 'category') return `${Object.keys(distribution.values).length} values, ${share}`
  const { min, mean, max } = distribution
  return `${short(min)} to ${short(max)}, mean ${short(mean)}, ${share}`
}

const DIGITS = 4

function short(value: number): string {
  return String(Number(value.toPrecision(DIGITS)))
}

function outputRow({ name, kind, range, classes, meaning }: ModelOutput): string[] {
  const shown = classes === undefined ? undefined : classes.slice(0, CLASSES_SHOWN).join(', ')
  const more =
    classes !== undefined && classes.length > CLASSES_SHOWN ? ` and ${classes.length - CLASSES_SHOWN} more` : ''
  const canBe = [
    ...(range === undefined ? [] : [`${range[0]} to ${range[1]}`]),
    ...(shown === undefined ? [] : [shown + more]),
  ]
  return [name, kind, canBe.join(', '), meaning ?? '']
}
