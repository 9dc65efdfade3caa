import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../src/platform/hash.ts'
import { PREDICTION_BYTES_MAX } from '../../src/predictions/spill.ts'
import { SPILL_KEY_OBJECT, spillStore } from '../../src/store/spill-store.ts'
import { memoryObjectStore } from '../fakes/memory-object-store.ts'

const KEY = 'ab'.repeat(32)
const plain = Buffer.from('{"a":1}')
const spilled = { key: 'spill/00/x/y', sha256: sha256Hex(plain), bytes: plain.length }

describe('the key', () => {
  it('is made once, by whoever is first, and read once by each', async () => {
    const objects = memoryObjectStore()
    let made = 0
    const newKey = () => `${made++}`.padStart(64, '0')
    const all = [spillStore({ objects, newKey }), spillStore({ objects, newKey }), spillStore({ objects, newKey })]
    const keys = await Promise.all(all.map(store => store.key()))
    expect(new Set(keys).size).toBe(1)
    const calls = { ...objects.calls }
    expect(await all[0]?.key()).toBe(keys[0])
    expect(objects.calls).toEqual(calls)
  })

  it('is asked for again after a failure', async () => {
    let failures = 1
    const fault = () => {
      if (failures-- > 0) throw new Error('down')
    }
    const store = spillStore({ objects: memoryObjectStore({ fault }), newKey: () => KEY })
    await expect(store.key()).rejects.toThrow('down')
    expect(await store.key()).toBe(KEY)
  })

  it('is refused where the object is none', async () => {
    const objects = memoryObjectStore()
    for (const body of ['', 'x', '{}', '{"key":"short"}', '{"key":5}', 'null']) {
      objects.objects.set(SPILL_KEY_OBJECT, Buffer.from(body))
      const store = spillStore({ objects, newKey: () => KEY })
      await expect(store.key(), body).rejects.toMatchObject({ code: 'spill-key-unreadable' })
    }
  })
})

describe('a value', () => {
  it('is read back as it was written', async () => {
    const store = spillStore({ objects: memoryObjectStore(), newKey: () => KEY })
    expect(await store.write({ spilled, plain })).toBe('created')
    expect(await store.write({ spilled, plain })).toBe('exists')
    expect(await store.read(spilled)).toEqual({ a: 1 })
  })

  it('is not to be had where the object is gone, torn, longer, or another', async () => {
    const objects = memoryObjectStore()
    const store = spillStore({ objects, newKey: () => KEY })
    expect(await store.read(spilled)).toBeUndefined()
    const whole = deflateSync(plain)
    for (const [what, body] of [
      ['torn', whole.subarray(0, -3)],
      ['no zlib', plain],
      ['longer', deflateSync(Buffer.concat([plain, Buffer.from(' ')]))],
      ['another', deflateSync(Buffer.from('{"a":2}'))],
      ['followed by more', Buffer.concat([whole, whole])],
    ] as const) {
      objects.objects.set(spilled.key, body)
      expect(await store.read(spilled), what).toBeUndefined()
    }
    objects.objects.set(spilled.key, whole)
    expect(await store.read(spilled)).toEqual({ a: 1 })
  })

  it('is not even fetched where it is longer than any is', async () => {
    const objects = memoryObjectStore()
    const store = spillStore({ objects, newKey: () => KEY })
    expect(await store.read({ ...spilled, bytes: PREDICTION_BYTES_MAX + 1 })).toBeUndefined()
    expect(objects.calls.get).toBe(0)
  })
})
