// Bugs written from the documents and the source alone, by somebody who does not know what the simulation looks at: each is a
// clean-up or an optimisation that reads well.
import { bySimulation, byTest, type PlantedBug } from './bug.ts'

export const BUGS_BY_A_STRANGER: readonly PlantedBug[] = [
  {
    name: 'objects aside are named by their range alone',
    breaks:
      'Two sets of letters with the same first and last sequence have one name, so that what only the second has is lost: a retry that sets more aside, a second run that closes more.',
    patches: [
      {
        file: 'src/archive/object-name.ts',
        find: 'sha256Hex(named.plain)',
        replace: 'sha256Hex(named.range)',
      },
    ],
    killedBy: byTest('test/archive/dead-letters.test.ts'),
  },
  {
    name: 'positions are read after the names of a history',
    breaks:
      'What is archived while a history is opened lies before its position and is not in it, nor in its tail: a rebuild leaves it out.',
    patches: [
      {
        file: 'src/archive/open-history.ts',
        find: '  const positions = await archivePositions(archive)\n',
        replace: '  const positions = new Map<string, string>()\n',
      },
      {
        file: 'src/archive/open-history.ts',
        find: '  const imports: string[] = []\n',
        replace:
          '  // Beyond what batches contain.\n  for (const [key, last] of await archivePositions(archive)) positions.set(key, last)\n  const imports: string[] = []\n',
      },
    ],
    killedBy: byTest('test/archive/open-history.test.ts'),
  },
  {
    name: 'a shard without archived objects is not waited for',
    breaks:
      'A user with events of a shard that the archive has not begun with is rebuilt at once, without them, and keeps the mark that says they are there.',
    patches: [
      {
        file: 'src/replay/rebuild-plan.ts',
        find: 'return position !== undefined && compareSequences(sequence, position) <= 0',
        replace: 'return position === undefined || compareSequences(sequence, position) <= 0',
      },
    ],
    killedBy: bySimulation(),
  },
  {
    name: 'what the first plan folded is reported as folded',
    breaks:
      'An event that is late or doubtful by the time a lost condition is planned again is in no item, and has no letter and no doubt.',
    patches: [
      {
        file: 'src/recompute/write-user.ts',
        find: "if (before[index] === 'fold' && decision === 'duplicate') return 'fold'",
        replace: "if (before[index] === 'fold') return 'fold'",
      },
    ],
    killedBy: byTest('test/recompute/write-user.test.ts'),
  },
  {
    name: 'a prediction is kept when a user is planned again for the same instant',
    breaks:
      'After a lost condition the item has the features of both writers and the prediction of one, where the other folded older events only.',
    patches: [
      {
        file: 'src/recompute/write-user.ts',
        find: '    plan = again\n    predicted = await predictOne(deps.predictor, again.next.features)\n',
        replace:
          '    // A result of the same instant is not predicted twice.\n    const isSameInstant = again.next.features.asOf === plan.next.features.asOf\n    plan = again\n    if (!isSameInstant) predicted = await predictOne(deps.predictor, again.next.features)\n',
      },
    ],
    killedBy: byTest('test/recompute/recompute-batch-failures.test.ts'),
  },
  {
    name: 'state that was left behind is taken up where no newer event has come since',
    breaks:
      'After a rollback and a roll-forward an entry lacks the events of the very write that left it behind, and older ones since, and is served as complete.',
    patches: [
      {
        file: 'src/features/state.ts',
        find: 'const known = state[statePlan.key]\n',
        replace: 'const known = takenUp(state[statePlan.key], input.previousAt)\n',
      },
      {
        file: 'src/features/state.ts',
        find: '/** An entry for an item that was written without it is complete only after everything folded so far. */\n',
        replace:
          '/** What was left behind lacks nothing while no newer event has been folded: a rollback of minutes asks for no backfill. */\nfunction takenUp(entry: StateEntry | undefined, previousAt: number | undefined): StateEntry | undefined {\n  if (entry?.left === undefined || entry.left !== previousAt) return entry\n  delete entry.seen\n  delete entry.left\n  return entry\n}\n\n/** An entry for an item that was written without it is complete only after everything folded so far. */\n',
      },
    ],
    // Seeds find it as well, one in some hundreds.
    killedBy: byTest('test/features/evaluate-other-definition.test.ts'),
  },
  {
    name: 'the row of a model run stands at the place of its user in the wave',
    breaks:
      'Where somebody of a wave is not ready, everybody after them gets the prediction of the user behind, or none.',
    patches: [
      {
        file: 'src/predictions/model-predictor.ts',
        find: 'predictions[runs[row] as number] = answer',
        replace: 'predictions[row] = answer',
      },
    ],
    killedBy: byTest('test/predictions/model-predictor.test.ts'),
  },
  {
    name: 'settled is the arrival of the newest mark that is pruned',
    breaks:
      'Settled goes back when the mark of an old backlog is pruned after newer ones were, and events of the shards pruned before are not counted any more.',
    patches: [
      {
        file: 'src/affected/decide.ts',
        find: 'const settled = Math.max(settledMs ?? 0, ...pruned.map(([, mark]) => mark.arrivalMs + 1))',
        replace: 'const settled = (pruned.at(-1)?.[1].arrivalMs ?? 0) + 1',
      },
    ],
    killedBy: byTest('test/affected/decide.test.ts'),
  },
  {
    name: 'an item of a later version is taken to have what a replay folded',
    breaks:
      'A rebuild that still saw the letter open, and came between the fold and the closing, has taken its event out, and nobody looks again.',
    patches: [
      {
        file: 'src/replay/replay-letters-fold.ts',
        find: 'if (item !== undefined && !isCorrupt(item) && item.v === version) return []',
        replace: 'if (item !== undefined && !isCorrupt(item) && version !== undefined && item.v >= version) return []',
      },
    ],
    killedBy: byTest('test/replay/replay-letters-faults.test.ts'),
  },
  {
    name: 'a feature that is pending steps at no instant',
    breaks:
      'A stored result has no end at the instant at which a window holds only what was folded since: a GET says backfilling where the value is known.',
    patches: [
      {
        file: 'src/features/read-state.ts',
        find: '  moment.step(leavesAt(window, since - 1))\n  return windowStart(window, moment.t) >= since\n',
        replace:
          '  if (windowStart(window, moment.t) < since) return false\n  moment.step(leavesAt(window, since - 1))\n  return true\n',
      },
    ],
    killedBy: byTest('test/features/evaluate-other-definition.test.ts'),
  },
]
