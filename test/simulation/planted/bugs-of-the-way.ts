// Bugs on the way of a record: answers to Lambda, what is set aside, the archive, rebuilds, stored bytes, and the catalogue.
import { type PlantedBug, bySimulation, byTest } from './bug.ts'

export const BUGS_OF_THE_WAY: readonly PlantedBug[] = [
  {
    name: 'acknowledged past a failed record',
    breaks: 'Lambda delivers again from the highest failed record, and the failed ones before it are gone.',
    patches: [
      {
        file: 'src/recompute/tally.ts',
        find: 'compareSequences(record.sequence, this.#failedSequence) < 0',
        replace: 'compareSequences(record.sequence, this.#failedSequence) > 0',
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'the handler returns undefined',
    breaks: 'Lambda takes a batch without an answer for done.',
    patches: [
      {
        file: 'src/compose/recompute-events.ts',
        find: 'return batchResponse(result.failedSequence)',
        replace: 'return undefined as never',
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'unprocessed keys are skipped',
    breaks: 'Users whom a throttled read left out are taken for new ones.',
    patches: [{ file: 'src/store/dynamodb-user-store.ts', find: 'keys = unprocessed\n', replace: 'keys = []\n' }],
    killedBy: byTest('test/store/dynamodb-user-store.test.ts'),
  },
  {
    name: 'dead letters are not awaited',
    breaks: 'The batch is acknowledged although its letters could not be written.',
    patches: [
      {
        file: 'src/recompute/recompute-batch.ts',
        find: 'if (refused.length > 0) await aside.writeDeadLetters(refused)',
        replace: 'if (refused.length > 0) aside.writeDeadLetters(refused).catch(() => undefined)',
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'doubt is not written',
    breaks: 'Records of which the item cannot tell whether it folded them are forgotten.',
    patches: [
      {
        file: 'src/recompute/recompute-batch.ts',
        find: 'if (belowFloor.length > 0) await aside.writeDoubt(belowFloor)',
        replace: '',
      },
    ],
    killedBy: byTest('test/recompute/recompute-batch-failures.test.ts'),
  },
  {
    name: 'the archive goes on after a failed object',
    breaks: 'The archive has a gap below its position, and a rebuild within it loses records.',
    patches: [
      {
        file: 'src/archive/archive-batch.ts',
        find: '  let recordsArchived = 0\n',
        replace: '  let recordsArchived = 0\n  let failure: ArchiveResult | undefined\n',
      },
      {
        file: 'src/archive/archive-batch.ts',
        find: 'return { failedSequence: failed.sort(compareSequences)[0], recordsArchived, errors: [error] }',
        replace: 'failure ??= { failedSequence: failed.sort(compareSequences)[0], recordsArchived, errors: [error] }',
      },
      {
        file: 'src/archive/archive-batch.ts',
        find: 'return { failedSequence: undefined, recordsArchived, errors: [] }',
        replace: 'return failure ?? { failedSequence: undefined, recordsArchived, errors: [] }',
      },
    ],
    killedBy: byTest('test/archive/archive-batch.test.ts'),
  },
  {
    name: 'a rebuild ignores open letters',
    breaks: 'A record that was set aside is counted, and counted again when it is replayed.',
    patches: [
      {
        file: 'src/replay/counted-events.ts',
        find: '!isAside(event) && isReached(event, rule)',
        replace: 'isReached(event, rule)',
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'a backfill puts over what it lost to',
    breaks: 'What the stream folded between reading and writing is lost.',
    patches: [
      {
        file: 'src/replay/backfill-write.ts',
        find: 'plan = planRebuild(user, put.current, context)',
        replace: `const unread = put.current as StoredItem
      plan = { ...plan, before: unread, next: { ...next, version: unread.v + 1 } }`,
      },
    ],
    killedBy: byTest('test/replay/backfill-waiting.test.ts'),
  },
  {
    name: 'a replay ignores the first sequence',
    breaks: 'A replayed letter marks its shard at a place that is not its own.',
    patches: [
      {
        file: 'src/replay/replay-letters-fold.ts',
        find: `await recomputeBatch(
    letters.map(({ record }) => record),`,
        replace: `await recomputeBatch(
    letters.map(({ record }, index) => ({ ...record, sequence: \`\${index + 1}\` })),`,
      },
    ],
    killedBy: byTest('test/replay/replay-letters.test.ts'),
  },
  {
    name: 'what is folded and not closed is not counted',
    breaks: 'A replay dies before it closes its letters, and a rebuild takes their records out again.',
    patches: [
      {
        file: 'src/replay/counted-events.ts',
        find: 'event => isAside(event) && known.has(event.event.idHash) && !brought.has(event.event.idHash),',
        replace: '() => false,',
      },
    ],
    killedBy: byTest('test/replay/rebuild-user.test.ts'),
  },
  {
    name: 'a rebuild does not wait for the archive',
    breaks: 'Records that the item has folded and the archive does not have yet are lost.',
    patches: [
      {
        file: 'src/replay/rebuild-plan.ts',
        find: "if (!isReached(needs, positions)) return { outcome: 'waiting', user, needs }\n",
        replace: '',
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'checksums are not verified',
    breaks: 'Changed bytes are folded into and written over.',
    patches: [
      {
        file: 'src/store/checksums.ts',
        find: 'return crc32(stored) === sum.crc32 ? undefined : `${name}: its CRC-32 does not agree`',
        replace: 'return undefined',
      },
    ],
    killedBy: byTest('test/store/item-codec.test.ts'),
  },
  {
    name: 'a corrupt item is begun anew',
    breaks: 'A user whose bytes were damaged loses everything that was folded, unseen.',
    patches: [
      {
        file: 'src/recompute/item-content.ts',
        find: "if (isUnreadable(decoded)) return { outcome: 'corrupt', detail: decoded.reason }",
        replace: `if (isUnreadable(decoded)) {
    const dedup = { types: new Map(), marks: new Map(), settledMs: undefined }
    return { outcome: 'read', stored, content: { version: stored.v, at: stored.at, dedup, state: {} } }
  }`,
      },
    ],
    killedBy: byTest('test/recompute/recompute-batch.test.ts'),
  },
  {
    name: 'the prediction of a lost condition is kept',
    breaks: 'A prediction is stored beside features that it was not made from.',
    patches: [
      {
        file: 'src/recompute/write-user.ts',
        find: 'predicted = await predictOne(deps.predictor, again.next.features)\n',
        replace: '\n',
      },
    ],
    killedBy: byTest('test/recompute/recompute-batch-failures.test.ts'),
  },
  {
    name: 'the log entry before the data',
    breaks: 'Readers are pointed to a batch that is not whole.',
    patches: [
      {
        file: 'src/catalog/store-batch.ts',
        find: '  await writeBatch(ports, ref, schema, { ...input, begun })',
        replace: `  const entry = await appendToLog(ports, ref, { kind: 'commit', batchId: begun.batchId, who, why })
  await writeBatch(ports, ref, schema, { ...input, begun })`,
      },
      {
        file: 'src/catalog/store-batch.ts',
        find: "return appendToLog(ports, ref, { kind: 'commit', batchId: begun.batchId, who, why }, { after: begun.after })",
        replace: 'return entry',
      },
    ],
    killedBy: byTest('test/catalog/commit.test.ts'),
  },
  {
    name: 'commits of one batch overwrite each other',
    breaks: 'Of two committers who take the same number, both believe that theirs is current.',
    patches: [
      {
        file: 'src/catalog/commit-log.ts',
        find: `const outcome = await createOrLose(() => store.create({ table, sk, attributes }))
    if (outcome === 'created') return`,
        replace: 'await store.create({ table, sk, attributes })\n    return',
      },
    ],
    killedBy: byTest('test/catalog/commit.test.ts'),
  },
  {
    name: 'the second writer of a key commits as well',
    breaks:
      'Of two that store with the same key each has an entry in the log, and a repetition takes back what came between.',
    patches: [
      {
        file: 'src/catalog/store-batch.ts',
        find: ', { after: begun.after })',
        replace: ')',
      },
    ],
    killedBy: byTest('test/catalog/idempotency-key.test.ts'),
  },
  {
    name: 'partitions that are stored together are committed one by one',
    breaks:
      'A reader sees the new batch of one partition and the old one of another, for ever where the writer dies between.',
    patches: [
      {
        file: 'src/catalog/commit-together.ts',
        find: 'await createOrLose(() => store.createAll(items))',
        replace: "(await mapWithLimit(items, 1, item => store.create(item))).includes('exists') ? 'exists' : 'created'",
      },
    ],
    killedBy: byTest('test/catalog/steps.test.ts'),
  },
  {
    name: 'parts are not looked at before the commit',
    breaks: 'A batch becomes current of which a part is missing, torn or of another writer.',
    patches: [
      {
        file: 'src/catalog/store-batch.ts',
        find: 'await checkParts(ports.objects, { ...place, columns }, parts)',
        replace: '',
      },
    ],
    killedBy: byTest('test/catalog/check-parts.test.ts'),
  },
]
