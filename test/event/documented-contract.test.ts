// The contract, the events and the reasons in docs/events.md are what they are said to be.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { compileContracts } from '../../src/event/compile-contracts.ts'
import type { EventContract } from '../../src/event/contract.ts'
import { decodePayload } from '../../src/event/decode.ts'
import { documentedBlocks } from '../docs/code-blocks.ts'
import { ROOT } from '../tidy/source-files.ts'
import { expectEvent } from './order-payloads.ts'

const blocks = documentedBlocks(ROOT).filter(({ file }) => file === 'docs/events.md')
const tagged = (tag: string) => blocks.filter(block => block.tag === tag).map(({ text }) => text)

it('reads both documented events as the same', async () => {
  const { order } = await importText(tagged('contract').join('\n'))
  const contracts = compileContracts([order])
  const [older, newer] = tagged('event').map(json => expectEvent(decodePayload(Buffer.from(json), contracts)))
  expect(Object.fromEntries(older?.fields ?? [])).toEqual({
    amount: 1999,
    channel: 'app',
    gift: false,
    item: 'shoe',
    coupon: null,
  })
  expect(older).toEqual({ ...newer, unknownFields: 0 })
})

it('documents every reason of refusal, and no other', () => {
  const source = readFileSync(join(ROOT, 'src', 'event', 'decoded-event.ts'), 'utf8')
  const known = [...source.matchAll(/^ {2}\| '([a-z0-9-]+)'$/gm)].map(([, reason]) => reason)
  const page = readFileSync(join(ROOT, 'docs', 'events.md'), 'utf8')
  const [, table = ''] = page.split('## Reasons of refusal')
  const documented = [...table.matchAll(/^\| `([a-z0-9-]+)` /gm)].map(([, reason]) => reason)
  expect(documented.length).toBeGreaterThan(15)
  expect(new Set(documented)).toEqual(new Set(known))
})

async function importText(text: string): Promise<{ readonly order: EventContract }> {
  const folder = mkdtempSync(join(tmpdir(), 'documented-contract-'))
  try {
    const api = pathToFileURL(join(ROOT, 'src', 'api', 'index.ts')).href
    const file = join(folder, 'contract.ts')
    writeFileSync(file, text.replace("'millrace'", JSON.stringify(api)))
    return (await import(file)) as { readonly order: EventContract }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
