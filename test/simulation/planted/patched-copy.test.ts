// That every planted bug can be planted in the code as it is, and that a patch which cannot says so.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripTypeScriptTypes } from 'node:module'
import { describe, expect, it } from 'vitest'
import { PLANTED_BUGS } from './bugs.ts'
import { applyPatch, patchedCopy, patchedTexts, ROOT, StalePatchError } from './patched-copy.ts'

const FILE = 'src/platform/clock.ts'

describe('planted bugs', () => {
  it('are at least the twelve that a promise of one effect has to survive, each by a name of its own', () => {
    expect(PLANTED_BUGS.length).toBeGreaterThanOrEqual(14)
    expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length)
  })

  it.each(PLANTED_BUGS)('$name: fits the code as it is, and the code still loads', ({ patches }) => {
    const texts = patchedTexts(patches)
    expect(texts.size).toBeGreaterThan(0)
    for (const text of texts.values()) expect(() => stripTypeScriptTypes(text)).not.toThrow()
  })

  it.each(PLANTED_BUGS.map(({ killedBy }) => killedBy).filter(killer => killer.kind === 'test'))(
    'are looked for by $file, which is there',
    ({ file }) => expect(existsSync(join(ROOT, file))).toBe(true),
  )
})

describe('a patch', () => {
  it('that finds nothing, or two places, or changes nothing, is stale', () => {
    const patch = { file: FILE, find: 'b', replace: 'x' }
    expect(applyPatch('a b c', patch)).toBe('a x c')
    expect(() => applyPatch('a c', patch)).toThrow(StalePatchError)
    expect(() => applyPatch('a b b', patch)).toThrow(StalePatchError)
    expect(() => applyPatch('aa', { ...patch, find: '' })).toThrow(StalePatchError)
    expect(() => applyPatch('a b c', { ...patch, replace: 'b' })).toThrow(StalePatchError)
    expect(() => applyPatch('bbb', { ...patch, find: 'bb' })).toThrow(StalePatchError)
    expect(() => patchedTexts([{ ...patch, file: 'src/platform/gone.ts' }])).toThrow(/the file is gone/)
  })

  it('is text, whatever it means to a replacement', () => {
    expect(applyPatch('a b', { file: FILE, find: 'b', replace: "$&$'" })).toBe("a $&$'")
  })

  it('comes after those before it in the same file', () => {
    const text = readFileSync(join(ROOT, FILE), 'utf8')
    const first = text.slice(0, 20)
    const patches = [
      { file: FILE, find: first, replace: 'one of a kind' },
      { file: FILE, find: 'one of a kind', replace: 'another' },
    ]
    expect(patchedTexts(patches).get(FILE)).toBe(`another${text.slice(20)}`)
  })
})

describe('a patched copy', () => {
  it('has the change, leaves the code as it is, and goes away', () => {
    const text = readFileSync(join(ROOT, FILE), 'utf8')
    const copy = patchedCopy([{ file: FILE, find: text, replace: 'export const changed = 1\n' }])
    expect(readFileSync(join(copy.folder, FILE), 'utf8')).toBe('export const changed = 1\n')
    expect(readFileSync(join(ROOT, FILE), 'utf8')).toBe(text)
    expect(existsSync(join(copy.folder, 'node_modules', 'vitest'))).toBe(true)
    copy.remove()
    expect(existsSync(copy.folder)).toBe(false)
    expect(existsSync(join(ROOT, 'node_modules', 'vitest'))).toBe(true)
  })

  it('is never made of a stale patch', () => {
    expect(() => patchedCopy([{ file: FILE, find: 'nowhere in it', replace: '' }])).toThrow(StalePatchError)
  })
})
