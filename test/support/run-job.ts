import { text } from 'node:stream/consumers';
import { slim, type SlimSettings } from '../../src/commands/index.ts';

// A worker process: a job for `slim` comes in as JSON on stdin, its outcome goes out as JSON on stdout.
const { args, settings } = JSON.parse(await text(process.stdin)) as {
  readonly args: readonly [string, string];
  readonly settings: Partial<SlimSettings>;
};
process.stdout.write(JSON.stringify(await slim(...args, settings)));
