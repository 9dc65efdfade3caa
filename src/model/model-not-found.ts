// Nothing of this name, or nothing in this stage, was ever published.
import { ModelError } from './errors.ts'

export function modelNotFound(name: string, stage?: string): ModelError {
  return new ModelError(`No version of ${name} was ever published${stage === undefined ? '' : ` in ${stage}`}`, {
    code: 'model-not-found',
    next: 'Check the name; `millrace model list` shows the models of this folder and their stages.',
  })
}
