// Bugs in the decision per event, the fold, and the item's write: what makes an effect more or less than one.
import { type PlantedBug, bySimulation, byTest } from './bug.ts'

export const BUGS_OF_THE_FOLD: readonly PlantedBug[] = [
  {
    name: 'the condition is on what is there',
    breaks:
      'The put asserts the version of the moment, not the one that was read, and what another writer folded is lost.',
    patches: [
      {
        file: 'src/recompute/write-user.ts',
        find: 'const put = await deps.users.put(item, before?.v)',
        replace: `const unread = await deps.users.load(item.userId)
    const put = await deps.users.put({ ...item, v: (unread?.v ?? 0) + 1 }, unread?.v)`,
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'no condition on the put',
    breaks: 'Whoever writes last wins, and what the other writer folded is lost.',
    patches: [
      {
        file: 'src/store/dynamodb-user-store.ts',
        find: `{ ConditionExpression: 'v = :v', ExpressionAttributeValues: { ':v': { N: String(expected) } } }`,
        replace: '{}',
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'ADD instead of compare-and-set',
    breaks: 'A put that was applied and not answered is folded a second time by its retry.',
    patches: [
      {
        file: 'src/recompute/write-user.ts',
        find: `stored: StoredItem | CorruptItem | undefined,
): (PlannedUser & { readonly next: NextItem }) | SettledUser {`,
        replace: `stored: StoredItem | CorruptItem | undefined,
  isAgain = false,
): (PlannedUser & { readonly next: NextItem }) | SettledUser {`,
      },
      {
        file: 'src/recompute/write-user.ts',
        find: 'planUser(compiled, read.content, user.records)',
        replace: 'planUser(compiled, read.content, user.records, undefined, isAgain)',
      },
      {
        file: 'src/recompute/write-user.ts',
        find: "put.outcome === 'written' || isSameItem(item, put.current)",
        replace: "put.outcome === 'written'",
      },
      {
        file: 'src/recompute/write-user.ts',
        find: 'planItem(deps.compiled, first.user, put.current)',
        replace: 'planItem(deps.compiled, first.user, put.current, true)',
      },
      {
        file: 'src/recompute/write-user.ts',
        find: 'first.user, await deps.users.load(userId))',
        replace: 'first.user, await deps.users.load(userId), true)',
      },
      { file: 'src/recompute/plan-user.ts', find: 'idsMax?: number,', replace: 'idsMax?: number, isAgain = false,' },
      {
        file: 'src/recompute/plan-user.ts',
        find: '=> ledger.decide(event, record))',
        replace: `=> {
    const decision = ledger.decide(event, record)
    return isAgain ? 'fold' : decision
  })`,
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'one mark for all shards',
    breaks: 'A sequence of one shard is compared with the mark of another.',
    patches: [
      {
        file: 'src/affected/decide.ts',
        find: 'return `${record.stream}/${record.shard}`',
        replace: 'return `${record.stream}/shardId-000000000000`',
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'the mark overrules the id set',
    breaks: 'A record that was skipped is taken for folded when it comes again.',
    patches: [
      {
        file: 'src/affected/decide.ts',
        find: "if (hasId(type, event.idHash)) return 'duplicate'",
        replace:
          "if (hasId(type, event.idHash) || (record !== undefined && this.#isMarked(record))) return 'duplicate'",
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'eviction without a floor',
    breaks: 'What the id set has forgotten is folded a second time.',
    patches: [{ file: 'src/affected/decide.ts', find: '  type.floor = highest\n', replace: '' }],
    killedBy: bySimulation(),
  },
  {
    name: 'late events are dropped in silence',
    breaks: 'An event below the floor that was never folded leaves no letter.',
    patches: [
      {
        file: 'src/affected/decide.ts',
        find: "this.#isMarked(record) ? 'below-floor' : 'late'",
        replace: "this.#isMarked(record) ? 'below-floor' : 'duplicate'",
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'settled is not set when a mark is pruned',
    breaks: 'What the pruned mark stood for is no longer counted by a rebuild.',
    patches: [{ file: 'src/affected/decide.ts', find: 'settledMs: settled }', replace: 'settledMs }' }],
    killedBy: byTest('test/affected/decide.test.ts'),
  },
  {
    name: 'ids are compared without their type',
    breaks: 'An order and a visit of one id are one event to a rebuild.',
    patches: [
      {
        file: 'src/platform/hash.ts',
        find: "hash('sha256', `${type}\\u0000${id}`, 'hex')",
        replace: "hash('sha256', id, 'hex')",
      },
    ],
    killedBy: byTest('test/platform/hash.test.ts'),
  },
  {
    name: 'the version is not raised',
    breaks: 'Two writers that read the same item may both write it.',
    patches: [
      {
        file: 'src/recompute/plan-user.ts',
        find: 'version: (before?.version ?? 0) + 1',
        replace: 'version: before?.version ?? 1',
      },
      {
        file: 'src/store/user-item.ts',
        find: 'if (item.v !== next) throw',
        replace: 'if (item.v > next) throw',
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'the wall clock is trusted',
    breaks: 'What is stored depends on when it was computed.',
    patches: [
      {
        file: 'src/features/state.ts',
        find: 'let at = input.previousAt ?? 0',
        replace: 'let at = Math.max(input.previousAt ?? 0, Date.now())',
      },
    ],
    killedBy: byTest('test/recompute/recompute-batch.test.ts'),
  },
  {
    name: 'unknown state is dropped',
    breaks: 'A rollback loses what the newer code kept, and coming back serves it short.',
    patches: [
      {
        file: 'src/features/state.ts',
        find: `if (entry.seen === undefined) {
      entry.seen = previousVersion ?? 0`,
        replace: `if (entry.seen === undefined) {
      delete state[key]
      entry.seen = previousVersion ?? 0`,
      },
    ],
    killedBy: byTest('test/features/evaluate-other-definition.test.ts'),
  },
  {
    name: 'stale state is taken for current',
    breaks: 'State that older code carried past its events is served as if it had them.',
    patches: [
      {
        file: 'src/features/state.ts',
        find: 'known === undefined || known.seen !== undefined ?',
        replace: 'known === undefined ?',
      },
      { file: 'src/features/state.ts', find: 'entry.seen = previousVersion ?? 0\n', replace: '\n' },
    ],
    killedBy: bySimulation(),
  },
]
