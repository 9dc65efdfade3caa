// Spearman's rank correlation: whether two versions put people into the same order, whatever their scales. It is what matters where the
// best hundred are called, and a threshold is nowhere.

/** From −1 to 1; null where all values of a side are equal, as there is no order then. Both have as many. */
export function rankCorrelation(before: readonly number[], now: readonly number[]): number | null {
  return correlation(ranks(before), ranks(now))
}

/** Equal values have the mean of the ranks that they take. */
export function ranks(values: readonly number[]): readonly number[] {
  const order = values.map((value, index) => ({ value, index })).toSorted((a, b) => a.value - b.value)
  const found = values.map(() => 0)
  for (let from = 0; from < order.length; ) {
    let to = from
    while (to < order.length && order[to]?.value === order[from]?.value) to++
    for (const { index } of order.slice(from, to)) found[index] = (from + to - 1) / 2
    from = to
  }
  return found
}

function correlation(a: readonly number[], b: readonly number[]): number | null {
  const [meanA, meanB] = [mean(a), mean(b)]
  let [together, ofA, ofB] = [0, 0, 0]
  for (const [index, value] of a.entries()) {
    const [fromA, fromB] = [value - meanA, (b[index] ?? 0) - meanB]
    together += fromA * fromB
    ofA += fromA * fromA
    ofB += fromB * fromB
  }
  return ofA === 0 || ofB === 0 ? null : Math.max(-1, Math.min(1, together / Math.sqrt(ofA * ofB)))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
