// What docs/testing.md shows is the test that `init` writes, which runs in a repo of its own in test/consumer.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { codeBlocks } from '../docs/code-blocks.ts'
import { ROOT } from '../tidy/source-files.ts'

it("the example of docs/testing.md is the beginning of the starter's own test", () => {
  const read = (...path: readonly string[]): string => readFileSync(join(ROOT, ...path), 'utf8')
  const [example] = codeBlocks('docs/testing.md', read('docs', 'testing.md'))
  const starter = read('templates', 'init', 'test', 'pipeline', 'customer.test.ts')
  expect(starter.slice(0, example?.text.length)).toBe(example?.text)
})
