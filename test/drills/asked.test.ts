import { describe, expect, it } from 'vitest'
import { DRILLS } from '../../drills/all.ts'
import { askedOf, listLines } from '../../drills/asked.ts'

const asked = (...words: string[]) => askedOf(words, DRILLS)

describe('what is asked of the drills', () => {
  it('is one by its name, with its failure', () => {
    expect(asked('throttle', '--json')).toMatchObject({
      kind: 'run',
      drills: [{ name: 'throttle' }],
      isJson: true,
      isBroken: true,
    })
  })

  it('is all of them by --all', () => {
    expect(asked('--all')).toMatchObject({ kind: 'run', drills: DRILLS, isJson: false })
  })

  it('may be one without its failure', () => {
    expect(asked('throttle', '--leave-it-out')).toMatchObject({ isBroken: false })
  })

  it('is help or the list, whatever else is said', () => {
    expect(asked('--help', 'nonsense')).toEqual({ kind: 'help' })
    expect(asked('--list')).toEqual({ kind: 'list', isJson: false })
    expect(listLines(DRILLS)).toHaveLength(DRILLS.length)
  })

  it.each([
    ['nothing', [], 'Name a drill'],
    ['a drill that there is not', ['flood'], 'There is no drill "flood"; there are bad-contract'],
    ['one and all', ['throttle', '--all'], 'Name a drill'],
    ['an option that there is not', ['throttle', '--fast'], '--fast'],
  ])('is refused where it is %s', (_, words, problem) => {
    expect(asked(...words)).toMatchObject({ problem: expect.stringContaining(problem) })
  })
})
