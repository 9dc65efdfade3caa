// The port of what takes a user's item away: never part of a UserStore, so that whoever has one cannot lose anybody. Only who forgets a user
// has it.
import type { CorruptItem, StoredItem } from './user-item.ts'

export interface UserRemover {
  /** `changed`: somebody wrote the item meanwhile, and it is there. Throws StoreError. */
  remove(item: StoredItem | CorruptItem): Promise<'removed' | 'changed'>
}
