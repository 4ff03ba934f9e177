/** The commands of the command line, as data. Help, completion and the documentation pages list them in this order. */
import type { Command } from '../command.ts';
import { analyze } from './analyze.ts';
import { append } from './append.ts';
import { build } from './build.ts';
import { cat } from './cat.ts';
import { check } from './check.ts';
import { completionCommand } from './completion.ts';
import { config } from './config.ts';
import { copy } from './copy.ts';
import { diff } from './diff.ts';
import { explore } from './explore.ts';
import { exportCommand } from './export.ts';
import { extract } from './extract.ts';
import { fleet } from './fleet.ts';
import { history } from './history.ts';
import { inspect } from './inspect.ts';
import { ls } from './ls.ts';
import { presetsCommand } from './presets.ts';
import { prune } from './prune.ts';
import { rebase } from './rebase.ts';
import { recompress } from './recompress.ts';
import { relayer } from './relayer.ts';
import { restore } from './restore.ts';
import { registry } from './registry.ts';
import { sbom } from './sbom.ts';
import { slim } from './slim.ts';
import { squash } from './squash.ts';
import { trace } from './trace.ts';
import { verify } from './verify.ts';

/** In the order of help. */
export const commands: readonly Command[] = [
  squash,
  prune,
  recompress,
  relayer,
  slim,
  restore,
  config,
  copy,
  append,
  build,
  rebase,
  analyze,
  check,
  verify,
  diff,
  history,
  inspect,
  ls,
  cat,
  explore,
  extract,
  exportCommand,
  sbom,
  trace,
  fleet,
  presetsCommand,
  registry,
  completionCommand(() => commands),
];
