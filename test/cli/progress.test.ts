import { describe, expect, it } from 'vitest'
import { progressOn } from '../../src/cli/progress.ts'

function writer(isTTY: boolean) {
  const lines: string[] = []
  return { lines, isTTY, columns: 80, write: (text: string) => lines.push(text) }
}

describe('progressOn', () => {
  it('writes at most ten lines where there is no terminal, however many steps there are', () => {
    const log = writer(false)
    const progress = progressOn(log, 'loading', 10_000, () => 0)
    for (let index = 0; index < 10_000; index++) progress.advance(1)
    progress.done()
    expect(log.lines.length).toBe(10)
    expect(log.lines[0]).toBe('loading 1000/10000 0.0 s\n')
    expect(log.lines.at(-1)).toBe('loading 10000/10000 0.0 s\n')
  })

  it('redraws one bar on a terminal, ten times a second', () => {
    let now = 0
    const terminal = writer(true)
    const progress = progressOn(terminal, 'loading', 100, () => now)
    for (let index = 0; index < 50; index++) {
      progress.advance(1)
      now += 10
    }
    expect(terminal.lines.length).toBe(5)
    expect(terminal.lines.at(-1)).toContain('[############..................] 41/100')
    progress.done('done')
    expect(terminal.lines.at(-1)).toMatch(/50\/100 0\.5 s done\n$/)
  })

  it('shows a full bar for nothing to do', () => {
    const terminal = writer(true)
    progressOn(terminal, 'loading', 0, () => 0).done()
    expect(terminal.lines[0]).toContain(`[${'#'.repeat(30)}] 0/0`)
  })
})
