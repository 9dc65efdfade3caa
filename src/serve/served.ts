// What of a record by model name is served: a shadow's is not.

export function served<T>(
  byModel: Readonly<Record<string, T>>,
  shadows: ReadonlySet<string>,
): Readonly<Record<string, T>> {
  if (shadows.size === 0) return byModel
  return Object.fromEntries(Object.entries(byModel).filter(([name]) => !shadows.has(name)))
}
