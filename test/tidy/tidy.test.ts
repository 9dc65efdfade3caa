// The rules of the house that a machine can see. File and function lengths are the linter's.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { resolveImport, ROOT, type SourceFile, sourceFiles } from './source-files.ts'

/** A folder imports from itself and from those of lower rank; the same rank means: not from each other. */
const RANK: Readonly<Record<string, number>> = {
  platform: 0,
  event: 1,
  catalog: 1,
  report: 1,
  affected: 2,
  features: 2,
  archive: 2,
  model: 3,
  predictions: 4,
  store: 5,
  recompute: 6,
  router: 6,
  serve: 6,
  snapshot: 7,
  replay: 7,
  rescore: 7,
  status: 7,
  performance: 8,
  forget: 8,
  compose: 8,
  cli: 9,
  api: 9,
  testing: 9,
}

const source = sourceFiles('src')
const engine = source.filter(file => !file.path.startsWith('src/pipeline/'))
const everything = ['src', 'functions', 'localstack', 'bench', 'demo', 'drills', 'scripts', 'test', 'bin'].flatMap(
  sourceFiles,
)

const folderOf = (path: string): string => path.split('/')[1] ?? ''
const nameOf = (path: string): string => path.split('/').at(-1) ?? ''
const isAdapter = (path: string): boolean =>
  /^(dynamodb|s3|kinesis|lambda-api|cloudwatch|glue|onnx)-/.test(nameOf(path))
const SDK = /^(@aws-sdk\/|@smithy\/|onnxruntime-node)/

describe('tidy', () => {
  it('imports go one way', () => {
    const wrong = engine.flatMap(file =>
      localImports(file).flatMap(target => {
        const [from, to] = [folderOf(file.path), folderOf(target)]
        const isRight = from === to || (RANK[to] ?? 99) < (RANK[from] ?? -1)
        return isRight ? [] : [`${file.path} imports ${target}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  it('every folder of the engine has a rank', () => {
    expect([...new Set(engine.map(file => folderOf(file.path)))].filter(folder => !(folder in RANK))).toEqual([])
  })

  it('only adapters import an SDK or the runtime', () => {
    const wrong = engine.filter(file => file.imports.some(name => SDK.test(name)) && !isAdapter(file.path))
    expect(wrong.map(file => file.path).filter(path => path !== 'src/compose/clients.ts')).toEqual([])
  })

  it('only compose, the command line, the testing helpers and other adapters import adapters', () => {
    const wrong = engine.flatMap(file =>
      localImports(file)
        .filter(isAdapter)
        .filter(() => !isAdapter(file.path) && !['compose', 'cli', 'testing'].includes(folderOf(file.path)))
        .map(target => `${file.path} imports ${target}`),
    )
    expect(wrong).toEqual([])
  })

  it("the team's pipeline imports only 'millrace' and itself, and the engine never imports the pipeline", () => {
    const pipeline = source.filter(file => file.path.startsWith('src/pipeline/'))
    expect(
      pipeline.flatMap(file => file.imports).filter(name => name !== 'millrace' && !name.startsWith('./')),
    ).toEqual([])
    expect(engine.flatMap(localImports).filter(target => target.startsWith('src/pipeline/'))).toEqual([])
  })

  it('no name of the demo appears in the engine', () => {
    const wrong = engine.filter(file => /\bflights\b|flight\.arrived|late-arrival|lateArrival|\bORD\b/.test(file.text))
    expect(wrong.map(file => file.path)).toEqual([])
  })

  it('no leftover notes, no types or lint switched off', () => {
    const forbidden = new RegExp(
      [
        'TO' + 'DO',
        'FIX' + 'ME',
        'XX' + 'X\\b',
        '@ts-' + 'ignore',
        '@ts-' + 'expect-error',
        'oxlint-' + 'disable',
        'biome-' + 'ignore',
      ].join('|'),
    )
    expect(everything.filter(file => forbidden.test(file.text)).map(file => file.path)).toEqual([])
  })

  it('no test is skipped or singled out', () => {
    const tests = sourceFiles('test')
    const forbidden = new RegExp(`\\b(it|test|describe)\\.(sk${'ip'}|on${'ly'}|to${'do'}|skipIf|runIf)\\b`)
    expect(tests.filter(file => forbidden.test(file.text)).map(file => file.path)).toEqual([])
  })

  it('every source file is reached by an import, a command or a script', () => {
    const reached = new Set(everything.flatMap(file => file.imports.flatMap(name => resolveImport(file, name) ?? [])))
    const roots = new Set(['src/cli/main.ts', 'src/api/index.ts', 'src/compose/index.ts'])
    const byText = [...['package.json', 'serverless.yml'].map(read), ...everything.map(file => file.text)].join('\n')
    const orphans = sourceFiles('src')
      .filter(file => !reached.has(file.path) && !roots.has(file.path))
      .filter(
        file =>
          !byText.includes(nameOf(file.path).replace(/\.ts$/, '.js')) && !byText.includes(`'./${nameOf(file.path)}'`),
      )
    expect(orphans.map(file => file.path)).toEqual([])
  })

  it('every dependency has an exact version', () => {
    const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
    const versions = Object.entries({ ...manifest['dependencies'], ...manifest['devDependencies'] })
    expect(versions.filter(([, version]) => !/^(npm:[a-z]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  })

  it('every file begins by saying what it is', () => {
    const silent = [...engine, ...sourceFiles('localstack')].filter(file => !/^(#!.*\n)?\/\//.test(file.text))
    const isErrors = (path: string): boolean => nameOf(path) === 'errors.ts'
    expect(silent.map(file => file.path).filter(path => !isErrors(path))).toEqual([])
  })
})

function read(path: string): string {
  return existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'utf8') : ''
}

function localImports(file: SourceFile): string[] {
  return file.imports.flatMap(name => resolveImport(file, name) ?? []).filter(target => target.startsWith('src/'))
}
