// Every command block of README and docs is typed here as it stands there, against the local cloud that they tell the reader to
// start; and the README's example of a new event and a new feature is followed to the letter.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from '../tidy/source-files.ts'
import { type CodeBlock, documentedBlocks } from './code-blocks.ts'
import { bash, millraceLocal, type RunningCloud } from './process.ts'

const START_MS_MAX = 120_000
const DOCUMENTED_ENDPOINT = 'http://127.0.0.1:4566'
/** Beside LocalStack's port, so that a reader's own cloud does not meet the test's. */
const [REPO_PORT, SHOP_PORT] = [14_566, 14_567]

const blocks = documentedBlocks(ROOT).filter(block => block.language === 'sh')
const tagged = (tag: string): readonly CodeBlock[] => blocks.filter(block => block.tag === tag)
const nameOf = ({ file, line }: CodeBlock): string => `${file}:${line}`

describe('command blocks', () => {
  let cloud: RunningCloud
  let elsewhere: string

  beforeAll(async () => {
    elsewhere = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
    linkCommand(elsewhere)
    cloud = await millraceLocal(ROOT, REPO_PORT)
  }, START_MS_MAX)
  afterAll(async () => {
    rmSync(elsewhere, { recursive: true, force: true })
    await cloud.stop()
  })

  it('are all of a kind that is run', () => {
    expect(blocks.filter(({ tag }) => !['', 'local', 'elsewhere', 'whole'].includes(tag)).map(nameOf)).toEqual([])
    expect(tagged('').length).toBeGreaterThan(2)
  })

  it('that are whole runs are what CI runs', () => {
    const ci = readFileSync(join(ROOT, '.ci', 'run'), 'utf8')
    for (const block of tagged('whole')) {
      for (const command of block.text.split('\n')) expect(ci, `${nameOf(block)}: ${command}`).toContain(command)
    }
  })

  it('that start the cloud are the one that runs behind this test', () => {
    for (const block of tagged('local')) expect(block.text).toBe('npm run local')
  })

  it.each(tagged('').map(block => [nameOf(block), block] as const))(
    '%s',
    async (_, block) => {
      const { code, output } = await bash(block.text.replaceAll(DOCUMENTED_ENDPOINT, cloud.endpoint), ROOT)
      expect({ code, output }).toMatchObject({ code: 0 })
      if (block.text.includes('/users/ORD-LAX')) expect(output).toContain('"arrivals30d":1')
    },
    START_MS_MAX,
  )

  it.each(tagged('elsewhere').map(block => [nameOf(block), block] as const))(
    '%s, in an empty folder',
    async (_, block) => {
      expect(await bash(block.text, elsewhere)).toMatchObject({ code: 0 })
    },
  )
})

describe("the README's new event and new feature", () => {
  let folder: string
  let cloud: RunningCloud | undefined

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-shop-'))
  })
  afterAll(async () => {
    await cloud?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it(
    'takes two files and at most 15 lines, and is read by a GET',
    async () => {
      linkCommand(folder)
      expect(await bash('npx millrace init shop', folder)).toMatchObject({ code: 0 })
      const shop = join(folder, 'shop')
      linkModules(shop, builtPackage(folder))
      const [eventsFile, featuresFile] = ['events', 'features'].map(name =>
        join(shop, 'src', 'pipeline', `${name}.ts`),
      ) as [string, string]
      const [eventLines, featureLines] = exampleBlocks()
      const events = readFileSync(eventsFile, 'utf8')
      const features = readFileSync(featuresFile, 'utf8')
      writeFileSync(eventsFile, `${events}\n${eventLines}\n`)
      const withImport = features.replace(
        "import { order } from './events.ts'",
        "import { order, visit } from './events.ts'",
      )
      expect(withImport).not.toBe(features)
      writeFileSync(featuresFile, withImport.replace('features({\n', `features({\n${featureLines}\n`))
      expect(`${eventLines}\n${featureLines}`.split('\n').length + 1).toBeLessThanOrEqual(15)

      cloud = await millraceLocal(shop, SHOP_PORT)
      const visit = {
        type: 'site.visited',
        visitId: 'v1',
        customer: { id: 'ana' },
        at: new Date(Date.now() - 60_000).toISOString(),
        seconds: 12,
      }
      const push = await fetch(`${cloud.endpoint}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(visit),
      })
      expect(await push.text()).toContain('"accepted"')
      expect(push.status).toBe(202)
      expect(await eventually(`${cloud.endpoint}/users/ana/features`)).toMatchObject({
        values: { visits7d: 1, orders30d: 0 },
      })
    },
    START_MS_MAX,
  )
})

/** The two blocks after the marker: what goes into events.ts, and what into features.ts. */
function exampleBlocks(): readonly [string, string] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const from = readme.slice(0, readme.indexOf('<!-- example')).split('\n').length
  const [event, feature] = documentedBlocks(ROOT).filter(
    ({ file, line, language }) => file === 'README.md' && line > from && language === 'ts',
  )
  if (event === undefined || feature === undefined) throw new Error('The README has no example of a new event')
  return [event.text, feature.text]
}

/** Where npx finds the command, as if the package were installed there. */
function linkCommand(folder: string): void {
  const bin = join(folder, 'node_modules', '.bin')
  mkdirSync(bin, { recursive: true })
  symlinkSync(join(ROOT, 'bin', 'millrace.mjs'), join(bin, 'millrace'))
}

/** What `npm install` would bring, from this repo. */
/** The package as an installed one is, with a dist of its own: that of the repo is another test's, and may be none. */
function builtPackage(parent: string): string {
  const built = join(parent, 'package')
  mkdirSync(built)
  for (const name of readdirSync(ROOT)) if (name !== 'dist') symlinkSync(join(ROOT, name), join(built, name))
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', join(built, 'dist')], {
    cwd: ROOT,
  })
  return built
}

function linkModules(repo: string, built: string): void {
  const target = join(repo, 'node_modules')
  mkdirSync(target)
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    symlinkSync(join(ROOT, 'node_modules', name), join(target, name))
  symlinkSync(built, join(target, 'millrace'))
}

async function eventually(url: string): Promise<unknown> {
  const until = Date.now() + 30_000
  for (;;) {
    const response = await fetch(url)
    if (response.ok) return response.json()
    if (Date.now() > until) throw new Error(`${url} still answers ${response.status}: ${await response.text()}`)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}
