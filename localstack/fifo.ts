// A queue whose first item is taken away at no cost: `shift` of a long array moves all the others.
export interface Fifo<Item> {
  readonly length: number
  readonly first: Item | undefined
  push(item: Item): void
  shift(): Item | undefined
  at(index: number): Item | undefined
  /** Takes the first so many away and returns them. */
  take(count: number): Item[]
}

/** Moves the rest to the front only when that many places are empty, and at least half of all. */
const EMPTY_MIN = 1024

export function fifo<Item>(): Fifo<Item> {
  let items: Item[] = []
  let head = 0
  const forward = (count: number): void => {
    head += count
    if (head < EMPTY_MIN || head * 2 < items.length) return
    items = items.slice(head)
    head = 0
  }
  const queue: Fifo<Item> = {
    get length() {
      return items.length - head
    },
    get first() {
      return items[head]
    },
    push: item => void items.push(item),
    shift: () => queue.take(1)[0],
    at: index => items[head + index],
    take: count => {
      const taken = items.slice(head, head + count)
      forward(taken.length)
      return taken
    },
  }
  return queue
}
