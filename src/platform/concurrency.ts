// Bounded concurrency: the one way to run many store calls at once.

/** Maps with at most `limit` promises in flight; results in input order. The first rejection stops new work and is thrown. */
export async function mapWithLimit<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
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

/** As mapWithLimit, over a source that is pulled only when a lane is free; a source that is a generator is closed on failure. */
export async function mapPulled<T, R>(
  source: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  let next = 0
  try {
    for await (const item of source) {
      const index = next++
      const lane: Promise<void> = work(item, index)
        .then(result => void (results[index] = result))
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(lane))
      running.add(lane)
      if (running.size >= limit) await Promise.race(running)
      if (failures.length > 0) break
    }
  } finally {
    await Promise.all(running)
  }
  if (failures.length > 0) throw failures[0]
  return results
}

/** Results one by one in the order of the source, with up to `limit` begun ahead of the one that is awaited. */
export async function* mapAhead<T, R>(
  source: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const begun: Promise<R>[] = []
  for await (const item of source) {
    const result = work(item)
    // Awaited in its turn; until then its failure is nobody's business.
    result.catch(() => undefined)
    begun.push(result)
    if (begun.length >= limit) yield (await begun.shift()) as R
  }
  for (const result of begun) yield await result
}
