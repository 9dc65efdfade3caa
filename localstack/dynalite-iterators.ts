// dynalite 4 ends the iterators of its queries and scans by their method `return`, which Level's do not have, so that each stays open: it
// keeps its own memory and, on disk, every version of every item that is written after it. They are given the method here.
import { createRequire } from 'node:module'

interface Iterator {
  close(): Promise<void>
  return?: () => Promise<void>
}

interface AbstractLevel {
  readonly AbstractKeyIterator: { readonly prototype: Iterator }
  readonly AbstractValueIterator: { readonly prototype: Iterator }
}

export function letDynaliteCloseIterators(): void {
  const fromDynalite = createRequire(import.meta.resolve('dynalite'))
  for (const name of ['level', 'memory-level']) {
    const fromLevel = createRequire(fromDynalite.resolve(name))
    const { AbstractKeyIterator, AbstractValueIterator } = fromLevel('abstract-level') as AbstractLevel
    for (const { prototype } of [AbstractKeyIterator, AbstractValueIterator]) {
      prototype.return ??= function (this: Iterator) {
        return this.close()
      }
    }
  }
}
