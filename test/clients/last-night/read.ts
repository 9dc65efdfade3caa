// Last night's snapshot from TypeScript, as a program of its own: what it says is held against the other languages.
const startMs = performance.now()
const { openCatalog } = await import('../../../src/compose/open-catalog.ts')
// The two lines that people write:
const catalog = openCatalog({ pipeline: 'flights' })
const users = catalog.load<{ readonly user_id: string }>({ db: 'flights', table: 'users' })
let [rows, first, secondsToFirstRow] = [0, '', 0]
for await (const { user_id } of users) {
  if (rows++ > 0) continue
  first = user_id
  secondsToFirstRow = (performance.now() - startMs) / 1000
}
const checksum = await catalog.checksum({ db: 'flights', table: 'users' })
catalog.close()
console.log(JSON.stringify({ rows, checksum, secondsToFirstRow, first }))
