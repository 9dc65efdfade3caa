import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadPipeline } from '../../src/cli/load-pipeline.ts'
import { packageFacts } from '../../src/cli/package-root.ts'

let cwd: string

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'millrace-load-'))
  mkdirSync(join(cwd, 'src', 'pipeline'), { recursive: true })
})
afterEach(() => rmSync(cwd, { recursive: true }))

const write = (text: string): void => writeFileSync(join(cwd, 'src', 'pipeline', 'index.ts'), text)

describe('loadPipeline', () => {
  it("loads this repo's own, by its types", async () => {
    const pipeline = await loadPipeline(packageFacts().root)
    expect(pipeline.kind).toBe('pipeline')
    expect(pipeline.events.length).toBeGreaterThan(0)
  })

  it('says where a pipeline should be', async () => {
    await expect(loadPipeline(cwd)).rejects.toMatchObject({ code: 'pipeline-missing' })
  })

  it.each([
    ['export const pipeline = {}', 'pipeline-invalid', 'is not a pipeline'],
    ['export default null', 'pipeline-invalid', 'is not a pipeline'],
    ["export default { kind: 'features', name: 'x' }", 'pipeline-invalid', 'is not a pipeline'],
    ["throw new Error('boom')", 'pipeline-invalid', 'boom'],
    ["import './nowhere.ts'", 'pipeline-invalid', 'nowhere.ts'],
  ])('answers %s with what is wrong', async (text, code, message) => {
    write(text)
    await expect(loadPipeline(cwd)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
  })
})
