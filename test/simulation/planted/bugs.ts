// Every planted bug: the suite has to kill each, or its oracles have no teeth. One that is alive is a hole in the tests.
import type { PlantedBug } from './bug.ts'
import { BUGS_BY_A_STRANGER } from './bugs-by-a-stranger.ts'
import { BUGS_OF_PREDICTIONS } from './bugs-of-predictions.ts'
import { BUGS_OF_THE_FOLD } from './bugs-of-the-fold.ts'
import { BUGS_OF_THE_WAY } from './bugs-of-the-way.ts'

export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...BUGS_OF_THE_FOLD,
  ...BUGS_OF_THE_WAY,
  ...BUGS_BY_A_STRANGER,
  ...BUGS_OF_PREDICTIONS,
]
