// Overlapping objects of one shard as one line per sequence. Batch bounds change on retry, so a record may lie in several
// objects; merging them by sequence drops repeats while holding only the objects that overlap at one place.
import { compareSequences } from '../event/stream-record.ts'
import { ArchiveError } from './errors.ts'
import type { NamedObject } from './object-name.ts'

export interface Sequenced {
  readonly sequence: string
}

interface Cursor<Line extends Sequenced> {
  readonly object: NamedObject
  readonly lines: readonly Line[]
  position: number
}

/**
 * Each sequence once, ascending; of repeats the one from the object that was created first. `objects` come in the order of
 * their first sequence. Throws ArchiveError where an object does not hold what its name says.
 */
export async function* mergeBySequence<Line extends Sequenced>(
  objects: AsyncIterable<NamedObject>,
  load: (object: NamedObject) => Promise<readonly Line[]>,
): AsyncGenerator<Line> {
  const open: Cursor<Line>[] = []
  const waiting = objects[Symbol.asyncIterator]()
  try {
    let next = await waiting.next()
    for (;;) {
      let lowest = lowestSequence(open)
      while (next.done !== true && (lowest === undefined || compareSequences(next.value.first, lowest) <= 0)) {
        open.push({ object: next.value, lines: checkLines(next.value, await load(next.value)), position: 0 })
        open.sort((a, b) => compareAge(a.object, b.object))
        lowest = lowestSequence(open)
        next = await waiting.next()
      }
      if (lowest === undefined) return
      const line = take(open, lowest)
      if (line !== undefined) yield line
    }
  } finally {
    await waiting.return?.()
  }
}

function lowestSequence<Line extends Sequenced>(open: readonly Cursor<Line>[]): string | undefined {
  let lowest: string | undefined
  for (const { lines, position } of open) {
    const sequence = lines[position]?.sequence
    if (sequence !== undefined && (lowest === undefined || compareSequences(sequence, lowest) < 0)) lowest = sequence
  }
  return lowest
}

/** The line of the oldest object; all objects step over it, and those that are read to the end are let go. */
function take<Line extends Sequenced>(open: Cursor<Line>[], sequence: string): Line | undefined {
  let taken: Line | undefined
  let isAnyDone = false
  for (const cursor of open) {
    const line = cursor.lines[cursor.position]
    if (line?.sequence !== sequence) continue
    taken ??= line
    cursor.position++
    isAnyDone ||= cursor.position === cursor.lines.length
  }
  if (isAnyDone) open.splice(0, open.length, ...open.filter(({ lines, position }) => position < lines.length))
  return taken
}

function compareAge(a: NamedObject, b: NamedObject): number {
  return a.createdMs - b.createdMs || (a.key < b.key ? -1 : 1)
}

function checkLines<Line extends Sequenced>(object: NamedObject, lines: readonly Line[]): readonly Line[] {
  if (lines[0]?.sequence !== object.first || lines.at(-1)?.sequence !== object.last) {
    throw new ArchiveError(object.key, 'does not begin and end with the sequences of its name')
  }
  for (let index = 1; index < lines.length; index++) {
    const [before, after] = [lines[index - 1], lines[index]]
    if (before !== undefined && after !== undefined && compareSequences(before.sequence, after.sequence) >= 0) {
      throw new ArchiveError(object.key, 'has lines out of order')
    }
  }
  return lines
}
