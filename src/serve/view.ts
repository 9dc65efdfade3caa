// What of a user a route answers with.

export type View = 'features' | 'predictions' | 'user'

export const VIEW_OF_ROUTE: ReadonlyMap<string, View> = new Map([
  ['/users/{userId}', 'user'],
  ['/users/{userId}/features', 'features'],
  ['/users/{userId}/predictions', 'predictions'],
])

/** JSON, UTF-8. */
export interface PlainBodies {
  readonly features: () => Uint8Array
  readonly predictions: () => Uint8Array
}

/** The view's JSON; of both bodies one object, without parsing either. */
export function plainView(view: View, { features, predictions }: PlainBodies): Uint8Array {
  if (view === 'features') return features()
  if (view === 'predictions') return predictions()
  return Buffer.concat([
    Buffer.from('{"features":'),
    features(),
    Buffer.from(',"predictions":'),
    predictions(),
    Buffer.from('}'),
  ])
}
