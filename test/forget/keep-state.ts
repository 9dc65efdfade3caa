// All that is stored in a world, to begin from it again.
import type { ForgetWorld } from './forget-world.ts'

export function keepState(world: ForgetWorld): () => void {
  const maps: Map<unknown, unknown>[] = [
    world.archive.store.objects,
    world.archive.store.options,
    world.archive.hidden,
    world.objects.store.objects,
    world.objects.store.options,
    world.objects.hidden,
    world.store.items,
  ] as Map<unknown, unknown>[]
  const kept = maps.map(map => new Map(map))
  const users = world.users.items().map(({ userId }) => [userId, world.users.raw(userId)] as const)
  const { nowMs } = world.time
  return () => {
    for (const [index, map] of maps.entries()) {
      map.clear()
      for (const [key, value] of kept[index] ?? []) map.set(key, value)
    }
    for (const { userId } of world.users.items()) world.users.drop(userId)
    for (const [, attributes] of users) if (attributes !== undefined) world.users.plant(attributes)
    world.time.nowMs = nowMs
  }
}
