// Adds a golden item: write `goldens/NAME.plain.golden.json`, then `node test/store/write-golden.ts NAME` stores it as this
// release would. An existing stored file is left as it is: it stands for the release that wrote it.
import { readFileSync, writeFileSync } from 'node:fs'
import { encodePlain, type GoldenPlain, toGolden } from './golden-item.ts'

const name = process.argv[2]
if (name === undefined) throw new Error('Usage: node test/store/write-golden.ts NAME')
const path = (kind: string): URL => new URL(`goldens/${name}.${kind}.golden.json`, import.meta.url)
const plain = JSON.parse(readFileSync(path('plain'), 'utf8')) as GoldenPlain
writeFileSync(path('stored'), `${JSON.stringify(toGolden(encodePlain(plain)), undefined, 2)}\n`, { flag: 'wx' })
