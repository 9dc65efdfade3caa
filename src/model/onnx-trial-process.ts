// The process that `trialLoad` throws away: it opens one model in the runtime, with its golden rows, says what came of it, and ends.
import { openOnnxSession } from './onnx-session.ts'
import { ModelError } from './errors.ts'
import type { TrialAnswer, TrialQuestion } from './trial-message.ts'

/** The runtime has no codes for it: its arena's words, and C++'s. */
const MEMORY_WORDS = /Failed to allocate memory|bad_alloc/
const BYTES_PER_KB = 1024

process.once('message', (question: TrialQuestion) => {
  void answer(question).then(said => process.send?.(said, () => process.exit(0)))
})

async function answer(question: TrialQuestion): Promise<TrialAnswer> {
  try {
    await openOnnxSession(question, 'trial')
    return { kind: 'fine', rssBytesMax: process.resourceUsage().maxRSS * BYTES_PER_KB }
  } catch (error) {
    return refused(error)
  }
}

function refused(error: unknown): TrialAnswer {
  const causes: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) causes.push(cause.message)
  const [message = String(error), ...others] = causes
  const isModelError = error instanceof ModelError
  return {
    kind: 'refused',
    code: isModelError ? error.code : 'model-unloadable',
    message,
    ...(isModelError && error.next !== undefined ? { next: error.next } : {}),
    ...(others.length === 0 ? {} : { cause: others.join(', because of ') }),
    isOfMemory: causes.some(words => MEMORY_WORDS.test(words)),
  }
}
