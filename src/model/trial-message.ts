// What is said between whoever tries a model and the process that it is tried in.
import type { Artifact } from './read-artifact.ts'

export type TrialQuestion = Pick<Artifact, 'manifest' | 'model' | 'golden'>

export type TrialAnswer =
  | { readonly kind: 'fine'; readonly rssBytesMax: number }
  | {
      readonly kind: 'refused'
      readonly code: string
      readonly message: string
      readonly next?: string
      readonly cause?: string
      /** The runtime asked for memory that there is not. */
      readonly isOfMemory: boolean
    }
  /** Said of it, not by it: it ended without an answer. */
  | { readonly kind: 'crashed'; readonly by: string; readonly words: string; readonly isOfMemory: boolean }
