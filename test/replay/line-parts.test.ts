import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { LineParts } from '../../src/replay/line-parts.ts'

it('closes a part at 16 MiB of lines, each with the number of its own', () => {
  const parts = new LineParts()
  const sizes = [9, 7, 2, 1].map(mib => mib * 1024 * 1024 - 1)
  for (const size of sizes) parts.add(Buffer.alloc(size, 'x'))
  const finished = parts.finish().map(({ body, rows }) => ({ rows, bytes: gunzipSync(body).length }))
  expect(finished).toEqual([
    { rows: 2, bytes: 16 * 1024 * 1024 },
    { rows: 2, bytes: 3 * 1024 * 1024 },
  ])
})
