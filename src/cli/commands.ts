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
  {
    name: 'local',
    summary: 'Run the packaged pipeline on this machine until it is stopped.',
    load: () => import('./local.ts'),
  },
  {
    name: 'events push',
    summary: 'Check a file of events against the contracts and put them on the stream.',
    load: () => import('./events-push.ts'),
  },
  {
    name: 'events check',
    summary: 'Show what the contracts would refuse of a file of events, and which field first.',
    load: () => import('./events-check.ts'),
  },
  {
    name: 'features preview',
    summary: "Show one user's features from a file of events, with no cloud at all.",
    load: () => import('./features-preview.ts'),
  },
  {
    name: 'features export',
    summary: 'Write features as they stood at given (user, time) pairs, as Parquet for training.',
    load: () => import('./features-export.ts'),
  },
  {
    name: 'training-set',
    summary: 'Make a table of features as they were just before each (user, time, label), from history.',
    load: () => import('./training-set.ts'),
  },
  {
    name: 'backfill',
    summary: 'Rebuild users from the archive: for a new feature, an import, dead letters or doubt.',
    load: () => import('./backfill.ts'),
  },
  {
    name: 'deadletters list',
    summary: 'Show the records that could not be applied, and why.',
    load: () => import('./deadletters-list.ts'),
  },
  {
    name: 'deadletters show',
    summary: 'Show one record that could not be applied, and what the contracts say of it now.',
    load: () => import('./deadletters-show.ts'),
  },
  {
    name: 'deadletters replay',
    summary: 'Apply records that could not be applied, now that the reason is gone.',
    load: () => import('./deadletters-replay.ts'),
  },
  {
    name: 'status',
    summary: 'Show how a deployment is doing, line by line, and what needs somebody.',
    load: () => import('./status.ts'),
  },
  {
    name: 'pause',
    summary: 'Stop a function that reads the stream; its events wait there.',
    load: () => import('./pause.ts'),
  },
  {
    name: 'resume',
    summary: 'Let a function that was paused go on where it stopped.',
    load: () => import('./resume.ts'),
  },
  {
    name: 'users get',
    summary: "Show one user's features and predictions as of now, and the item they come from.",
    load: () => import('./users-get.ts'),
  },
  {
    name: 'users explain',
    summary: "Show what one user's features and predictions are made of, at any instant, and what moved them.",
    load: () => import('./users-explain.ts'),
  },
  {
    name: 'users sweep-spills',
    summary: 'Remove large predictions that no item names any more, with a receipt.',
    load: () => import('./users-sweep-spills.ts'),
  },
  {
    name: 'users forget',
    summary: 'Remove all that is stored of a user, everywhere, with a receipt.',
    load: () => import('./users-forget.ts'),
  },
  {
    name: 'users repair',
    summary: 'Replace items that cannot be read by what the archive gives, and close their dead letters.',
    load: () => import('./users-repair.ts'),
  },
  {
    name: 'verify',
    summary: 'Recompute users from the archive and hold what is stored against it.',
    load: () => import('./verify.ts'),
  },
  {
    name: 'archive import',
    summary: 'Bring in history from Parquet, CSV or NDJSON files, or withdraw what was brought in.',
    load: () => import('./archive-import.ts'),
  },
  {
    name: 'archive compact',
    summary: 'Write the hours of the archive that are over as batches, each record once, by user bucket.',
    load: () => import('./archive-compact.ts'),
  },
  {
    name: 'plan',
    summary: 'Show what a deploy of this folder would change, and whether it would break something.',
    load: () => import('./plan.ts'),
  },
  {
    name: 'definitions record',
    summary: 'Write down what this folder defines as what is deployed; the last step of a deploy.',
    load: () => import('./definitions-record.ts'),
  },
  {
    name: 'definitions diff',
    summary: 'Show what changed between two recorded definitions; without words, by the last deploy.',
    load: () => import('./definitions-diff.ts'),
  },
  {
    name: 'snapshot run',
    summary: 'Evaluate every user at one instant and commit them as a batch.',
    load: () => import('./snapshot-run.ts'),
  },
  {
    name: 'snapshot status',
    summary: 'Show the report of the newest snapshot and the runs that are not over; 1 where it is late.',
    load: () => import('./snapshot-status.ts'),
  },
  {
    name: 'model shadow',
    summary: 'Hold what a shadow model says against the one that is served, over the newest snapshot.',
    load: () => import('./model-shadow.ts'),
  },
  {
    name: 'model pack',
    summary:
      'Make an artifact of a model that was trained elsewhere: an ONNX file, a folder of MLflow, or coefficients.',
    load: () => import('./model-pack.ts'),
  },
  {
    name: 'model publish',
    summary: 'Check an artifact and make it the current version of its model in a stage.',
    load: () => import('./model-publish.ts'),
  },
  {
    name: 'model history',
    summary: 'Show what was published, promoted and rolled back of a model, newest first.',
    load: () => import('./model-history.ts'),
  },
  {
    name: 'model promote',
    summary: 'Make a version of a model current in the next stage, checked again.',
    load: () => import('./model-promote.ts'),
  },
  {
    name: 'model rollback',
    summary: 'Go back to the version before, or to another one that the stage had.',
    load: () => import('./model-rollback.ts'),
  },
  {
    name: 'model yank',
    summary: 'Say that a version must not be used again, in any stage; for ever.',
    load: () => import('./model-yank.ts'),
  },
  {
    name: 'model list',
    summary: 'Show the models of this folder with the version of each stage, or all versions of one.',
    load: () => import('./model-list.ts'),
  },
  {
    name: 'model show',
    summary: 'Show the papers of a version as people read them, where it is, and its size by encoding.',
    load: () => import('./model-show.ts'),
  },
  {
    name: 'model reproduce',
    summary: 'Run the kept script of a version on its training batch, and compare what comes out.',
    load: () => import('./model-reproduce.ts'),
  },
  {
    name: 'model rescore',
    summary: 'Give every user predictions of the version in production, or of one before it serves.',
    load: () => import('./model-rescore.ts'),
  },
  {
    name: 'model sign',
    summary: 'Sign an artifact, so that deployments that trust the key take it.',
    load: () => import('./model-sign.ts'),
  },
  {
    name: 'model keys',
    summary: 'Make a pair of keys to sign model artifacts with: `model keys new`.',
    load: () => import('./model-keys.ts'),
  },
  {
    name: 'model diff',
    summary: 'Show what is different between two versions of a model, and what they say of the same users.',
    load: () => import('./model-diff.ts'),
  },
  {
    name: 'table list',
    summary: 'List the tables of the catalogue.',
    load: () => import('./table-list.ts'),
  },
  {
    name: 'table show',
    summary: 'Show the definition of a table, and what is current in its partitions.',
    load: () => import('./table-show.ts'),
  },
  {
    name: 'table store',
    summary: 'Store a CSV, NDJSON or Parquet file as a new batch of a partition.',
    load: () => import('./table-store.ts'),
  },
  {
    name: 'table history',
    summary: 'Show the commits and rollbacks of a partition, newest first.',
    load: () => import('./table-history.ts'),
  },
  {
    name: 'table load',
    summary: 'Fetch and verify a batch of a partition: show rows, or write its files.',
    load: () => import('./table-load.ts'),
  },
  {
    name: 'table rollback',
    summary: 'Make an earlier batch of a partition current again.',
    load: () => import('./table-rollback.ts'),
  },
  {
    name: 'table sync',
    summary: 'Repair the mirror of the catalogue in AWS Glue, and show in what it differed.',
    load: () => import('./table-sync.ts'),
  },
  {
    name: 'table anchor',
    summary: 'Keep a batch for who relies on it, by a name; without a name, show who relies on which.',
    load: () => import('./table-anchor.ts'),
  },
  {
    name: 'table release',
    summary: 'Take the name of an anchor from its batch, which retention may purge then.',
    load: () => import('./table-release.ts'),
  },
  {
    name: 'table retain',
    summary: "Remove the bytes of a table's old batches, by its policy, with a receipt; or write the policy down.",
    load: () => import('./table-retain.ts'),
  },
  {
    name: 'table sweep',
    summary: 'Show objects of batches that were never committed, and remove them with --delete and a receipt.',
    load: () => import('./table-sweep.ts'),
  },
  {
    name: 'table verify',
    summary: 'Hold every byte of a batch, or of all of a table, against its papers.',
    load: () => import('./table-verify.ts'),
  },
  {
    name: 'table audit',
    summary: 'Show who changed what of a table, or of all tables, when and why.',
    load: () => import('./table-audit.ts'),
  },
  {
    name: 'table diff',
    summary: 'Show what is different between two batches: rows by their key, columns, and how numbers are distributed.',
    load: () => import('./table-diff.ts'),
  },
]
