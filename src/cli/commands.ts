// The registry: one line a command, loaded only when it is asked for, so that help starts at once and a command's heavy
// imports (AWS clients, ONNX Runtime, esbuild) cost nobody else. A test holds each line to its file.
import type { CommandEntry } from './command.ts'

export const COMMANDS: readonly CommandEntry[] = [
  { name: 'init', summary: 'Write a small repo that uses Millrace.', load: () => import('./init.ts') },
  {
    name: 'package',
    summary: 'Bundle the functions and write their CloudFormation template, into build/<arch>/.',
    load: () => import('./package.ts'),
  },
]
