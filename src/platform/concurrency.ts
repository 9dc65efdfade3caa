// Bounded concurrency: the one way to run many store calls at once.

/** Maps with at most `limit` promises in flight; results in input order. The first rejection stops new work and is thrown. */
export async function mapWithLimit<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  const lanes = Array.from({ length: Math.min(limit, items.length) }, async () => {
    for (;;) {
      const index = next++
      if (index >= items.length) return
      results[index] = await work(items[index] as T, index)
    }
  })
  try {
    await Promise.all(lanes)
  } catch (error) {
    next = items.length
    throw error
  }
  return results
}
