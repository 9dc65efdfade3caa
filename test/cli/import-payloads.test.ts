import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readImportFiles } from '../../src/cli/import-payloads.ts'
import { event } from '../../src/event/contract.ts'
import { collect } from '../archive/factories.ts'

it('adds a type where a line of JSON has none, and leaves all other bytes as they are', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'import-payloads-'))
  const path = join(folder, 'visits.ndjson')
  const lines = [
    ['{"id": 1.0, "n":12345678901234567890}', '{"meta":{"type":"visit"},"id": 1.0, "n":12345678901234567890}'],
    ['{ }', '{"meta":{"type":"visit"} }'],
    ['{"meta":{"source":"x"},"id":1}', '{"meta":{"source":"x","type":"visit"},"id":1}'],
    ['{"meta": {"type":"order"}, "id":1}', '{"meta": {"type":"order"}, "id":1}'],
    ['{"meta":7}', '{"meta":7}'],
    ['{"id":1,"id":2}', '{"id":1,"id":2}'],
    ['[1]', '[1]'],
    ['no json', 'no json'],
  ] as const
  writeFileSync(path, lines.map(([line]) => `${line}\r\n`).join(''))
  const contract = event('visit', { id: 'id', user: 'user', time: 'at', lateness: '1h', fields: {} })
  const files = readImportFiles([path], { contract, typePath: 'meta.type', columnOf: new Map() })
  const payloads = await collect(files.payloads)
  expect(payloads.map(payload => Buffer.from(payload).toString())).toEqual(lines.map(([, typed]) => typed))
  expect(files.where()).toBe(`${path}, row 8`)
  rmSync(folder, { recursive: true })
})
