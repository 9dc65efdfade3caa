import { describe, expect, it } from 'vitest'
import type { ManifestInput } from '../../src/model/artifact-manifest.ts'
import { outputOf } from '../../src/performance/model-output.ts'
import { manifestOf } from '../model/factories.ts'

const papers = (...outputs: ManifestInput['outputs']) => manifestOf(new Uint8Array(), { outputs })
const number = (name: string) => ({ name, tensor: 'y' })
const scores = (...classes: string[]) => ({ name: 'risk', kind: 'scores' as const, tensor: 'p', classes })
const label = { name: 'word', kind: 'label' as const, tensor: 'l' }

describe('outputOf', () => {
  it('is the only number, also beside a label', () => {
    expect(outputOf(papers(number('y'), label), undefined)).toBe('y')
  })

  it('is of two scores that of the second class', () => {
    expect(outputOf(papers(label, scores('no', 'yes')), undefined)).toBe('risk.yes')
  })

  it('is the one that is asked for', () => {
    expect(outputOf(papers(scores('a', 'b', 'c')), 'risk.b')).toBe('risk.b')
  })

  it('is not guessed among several', () => {
    for (const manifest of [
      papers(number('y'), number('z')),
      papers(scores('a', 'b', 'c')),
      papers(label),
      papers(number('y'), scores('a')),
    ]) {
      expect(() => outputOf(manifest, undefined)).toThrow(expect.objectContaining({ code: 'output-ambiguous' }))
    }
  })
})
