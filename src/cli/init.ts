// `millrace init NAME`: a small repo that depends on the package. What is written comes from templates/init, from the
// package's own functions/ and serverless.yml (byte for byte but for the name), and from its package.json: the same
// versions of the tools are the ones that were tested together.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { PIPELINE_NAME_PATTERN } from '../predictions/pipeline.ts'
import type { Command } from './command.ts'
import { CommandError, UsageError } from './errors.ts'
import { type PackageFacts, packageFacts } from './package-root.ts'

/** Tools that a team's repo uses, at the versions of Millrace's own devDependencies. */
const TOOLS = [
  '@types/node',
  'dynalite',
  'esbuild',
  'fauxqs',
  'kinesalite',
  'node',
  'serverless',
  'typescript',
  'vitest',
]
/** npm publishes no file called .gitignore or .npmrc, so templates call them dot-gitignore and dot-npmrc. */
const DOT_PREFIX = 'dot-'

export const command: Command = {
  name: 'init',
  summary: 'Write a small repo that uses Millrace.',
  positionals: ['name'],
  options: {
    millrace: {
      type: 'string',
      value: 'SPEC',
      description: 'What the repo depends on instead of this version: a tarball, a folder, a range.',
    },
  },
  changesThings: true,
  async run(context, args) {
    const name = args.positional('name')
    if (!PIPELINE_NAME_PATTERN.test(name)) {
      throw new UsageError(`"${name}" is not a pipeline's name`, 'Use 3 to 32 small letters, digits and -.')
    }
    const folder = join(context.cwd, name)
    refuseFullFolder(folder)
    const facts = packageFacts()
    const spec = args.text('millrace')
    const files = repoFiles(name, facts, spec === undefined ? facts.version : dependencySpec(spec, context.cwd))
    if (!context.isDryRun) for (const [path, content] of files) writeFile(join(folder, path), content)
    const paths = [...files.keys()].toSorted()
    context.result({ folder, written: !context.isDryRun, files: paths }, () => [
      `${context.isDryRun ? 'Would write' : 'Wrote'} ${paths.length} files to ${folder}:`,
      ...paths.map(path => `  ${path}`),
      'Next:',
      `  cd ${name}`,
      '  npm install',
      '  npm test',
      '  npm run local',
    ])
  },
}

/** Path below the new repo → content. */
export function repoFiles(
  name: string,
  facts: PackageFacts,
  millraceSpec: string,
): ReadonlyMap<string, Uint8Array | string> {
  const files = new Map<string, Uint8Array | string>()
  const template = join(facts.root, 'templates', 'init')
  for (const path of filesBelow(template)) {
    files.set(join(dirname(path), basename(path).replace(DOT_PREFIX, '.')), readFileSync(join(template, path)))
  }
  for (const path of filesBelow(join(facts.root, 'functions'))) {
    files.set(join('functions', path), readFileSync(join(facts.root, 'functions', path)))
  }
  const service = readFileSync(join(facts.root, 'serverless.yml'), 'utf8')
  files.set('serverless.yml', service.replace(/^service: .*$/m, `service: ${name}`))
  const index = join('src', 'pipeline', 'index.ts')
  files.set(index, String(files.get(index)).replace("name: 'shop'", `name: '${name}'`))
  files.set('README.md', String(files.get('README.md')).replaceAll('shop', name))
  files.set('package.json', packageJson(name, facts, millraceSpec))
  return files
}

function packageJson(name: string, { devDependencies, allowScripts }: PackageFacts, millraceSpec: string): string {
  const manifest = {
    name,
    private: true,
    type: 'module',
    scripts: {
      test: 'vitest run',
      check: 'tsc',
      local: 'millrace local',
      package: 'millrace package',
    },
    dependencies: { millrace: millraceSpec },
    devDependencies: Object.fromEntries(TOOLS.map(tool => [tool, devDependencies[tool]])),
    allowScripts,
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** A path is written from where the command was called, and the repo is one folder below. */
function dependencySpec(spec: string, cwd: string): string {
  const path = resolve(cwd, spec.replace(/^file:/, ''))
  return existsSync(path) ? `file:${path}` : spec
}

function refuseFullFolder(folder: string): void {
  if (!existsSync(folder)) return
  if (statSync(folder).isDirectory() && readdirSync(folder).length === 0) return
  throw new CommandError(`${folder} exists and is not an empty folder`, {
    code: 'folder-not-empty',
    next: 'Choose another name: init never overwrites.',
  })
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => statSync(join(folder, path)).isFile() && !path.split(sep).includes('node_modules'))
    .toSorted()
}

/** `wx`: what appeared meanwhile is not overwritten either. */
function writeFile(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content, { flag: 'wx' })
}
