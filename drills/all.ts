// Every drill there is, in the order in which --list shows them.
import { badContract } from './bad-contract.ts'
import { badModel } from './bad-model.ts'
import { corruptItem } from './corrupt-item.ts'
import type { Drill } from './drill.ts'
import { itemsDeleted } from './items-deleted.ts'
import { poisonFlood } from './poison-flood.ts'
import { stuckConsumer } from './stuck-consumer.ts'
import { throttle } from './throttle.ts'

export const DRILLS: readonly Drill[] = [
  badContract,
  badModel,
  throttle,
  poisonFlood,
  corruptItem,
  stuckConsumer,
  itemsDeleted,
]
