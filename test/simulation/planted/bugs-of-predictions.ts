// Bugs in what is stored beside the items, and in what is stored and not served.
import { byTest, type PlantedBug } from './bug.ts'

const [PACK, SWEEP, ORPHANS, SERVE] = [
  byTest('test/recompute/pack-item.test.ts'),
  byTest('test/replay/sweep-spills.test.ts'),
  byTest('test/replay/sweep-orphans.test.ts'),
  byTest('test/serve/serve-spills.test.ts'),
]

export const BUGS_OF_PREDICTIONS: readonly PlantedBug[] = [
  {
    name: 'a large prediction: the item before its object',
    breaks: 'An item names an object that is not there, where the batch dies between the two or the bucket is down.',
    patches: [
      { file: 'src/recompute/write-user.ts', find: '    await packed.writeSpills()\n', replace: '' },
      {
        file: 'src/recompute/write-user.ts',
        find: '    await packed.keepSpills()\n',
        replace: '    await packed.writeSpills()\n',
      },
    ],
    killedBy: PACK,
  },
  {
    name: 'a large prediction: nobody looks again after the item',
    breaks: 'A sweep takes the object of a value that comes back, and the item names it for ever.',
    patches: [{ file: 'src/recompute/write-user.ts', find: '    await packed.keepSpills()\n', replace: '' }],
    killedBy: PACK,
  },
  {
    name: 'a large prediction: it is put each time',
    breaks: 'An unchanged value costs an S3 put at every event.',
    patches: [
      {
        file: 'src/recompute/pack-item.ts',
        find: 'planned.filter(({ spilled }) => !there.has(spilled.key))',
        replace: 'planned.filter(() => there.size >= 0)',
      },
    ],
    killedBy: PACK,
  },
  {
    name: 'a sweep without a grace',
    breaks: 'The object of a writer that has not put its item yet is removed.',
    patches: [
      {
        file: 'src/replay/sweep-spills.ts',
        find: 'if (info.createdMs > nowMs - graceMs)',
        replace: 'if (graceMs < 0)',
      },
    ],
    killedBy: SWEEP,
  },
  {
    name: 'a sweep that does not look before it removes',
    breaks: 'What is named again since the scan is taken away and put back, and is not there for readers between.',
    patches: [{ file: 'src/replay/sweep-spills.ts', find: '  if (await isNamed()) return false\n', replace: '' }],
    killedBy: SWEEP,
  },
  {
    name: 'a sweep that does not look after it has removed',
    breaks: 'What is named between the look and the removal is lost.',
    patches: [
      {
        file: 'src/replay/sweep-spills.ts',
        find: 'if (!(await isNamed())) return true',
        replace: 'if (body.length > 0) return true',
      },
    ],
    killedBy: SWEEP,
  },
  {
    name: 'a sweep that does not look whose a value is',
    breaks: 'A user whose first item comes while what a dead writer left is removed names what is gone.',
    patches: [{ file: 'src/replay/sweep-orphans.ts', find: 'if (!mayName(item, key)) continue', replace: 'continue' }],
    killedBy: ORPHANS,
  },
  {
    name: 'a sweep that does not ask whether it is alone',
    breaks: 'One that stood still takes what a user has written anew after the other one.',
    patches: [{ file: 'src/replay/sweep-spills.ts', find: '  await stillAlone()\n', replace: '' }],
    killedBy: ORPHANS,
  },
  {
    name: 'a sweep goes on beside an item that cannot be read',
    breaks: 'What the item names is removed, and a repair of the same bytes would have found it.',
    patches: [
      {
        file: 'src/replay/sweep-spills.ts',
        find: 'if (named === undefined) unreadable.add',
        replace: 'if (false) unreadable.add',
      },
    ],
    killedBy: SWEEP,
  },
  {
    name: 'a shadow decides whether what is stored is exact',
    breaks: 'Each GET is evaluated from the promotion of a shadow to the next event of the user.',
    patches: [
      {
        file: 'src/serve/answer-user.ts',
        find: 'isSameBatches(served(item.models, shadows), served(production, shadows))',
        replace: 'isSameBatches(item.models, production)',
      },
    ],
    killedBy: SERVE,
  },
  {
    name: 'a tag that does not say what is left out',
    breaks: 'A reader keeps the answer without a model that is served from now on.',
    patches: [
      {
        file: 'src/serve/answer-user.ts',
        find: "'stored' : `stored without ${hidden.join(' ')}`",
        replace: "'stored' : 'stored'",
      },
    ],
    killedBy: SERVE,
  },
]
