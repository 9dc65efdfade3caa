import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pseudonym } from '../../src/api/index.ts'
import { userIdProblem } from '../../src/event/identity.ts'

const KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
/** Made by openssl; the Python client's test has the same. */
const KNOWN = {
  '4711': '3772351bb52ccc6ce3b69dacc01dcd708b7fee2089c138f2fb59c7fc961457f0',
  'erin@example.org': '84af894bfc840351e186ddc1a103d8a8b1c47cb176415a0aa43675813836cb0c',
  'Zoë 🐟': '25256bd0e8b1256a5af5bbf2d847ac9be5f53108789376e3262bc3c7b13cf78c',
}

describe('a pseudonym', () => {
  it('is what every language and openssl make of the key and the id', () => {
    for (const [userId, known] of Object.entries(KNOWN)) expect(pseudonym(KEY, userId)).toBe(known)
  })

  it('is an id as events have them, of its own for each id and key', () => {
    const id = fc.string({ unit: 'binary', minLength: 1 }).filter(text => text.isWellFormed())
    fc.assert(
      fc.property(id, id, (one, other) => {
        expect(userIdProblem(pseudonym(KEY, one))).toBeUndefined()
        expect(pseudonym(KEY, one) === pseudonym(KEY, other)).toBe(one === other)
        expect(pseudonym('f'.repeat(64), one)).not.toBe(pseudonym(KEY, one))
      }),
    )
  })

  it.each(['', 'secret', KEY.slice(2), KEY.toUpperCase(), `${KEY}\n`])('takes no key like %j', key => {
    expect(() => pseudonym(key, '4711')).toThrow(expect.objectContaining({ code: 'pseudonym-key-invalid' }))
  })

  it.each(['', '\ud800', 4711, null, undefined])('is of no id like %j', userId => {
    expect(() => pseudonym(KEY, userId as string)).toThrow(expect.objectContaining({ code: 'user-id-invalid' }))
  })
})
