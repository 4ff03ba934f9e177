import { text } from 'node:stream/consumers';
import * as commands from '../../src/commands/index.ts';

// A worker process: a job comes in as JSON on stdin, its outcome goes out as JSON on stdout.
const { command, args, settings } = JSON.parse(await text(process.stdin)) as {
  readonly command: 'slim';
  readonly args: readonly [string, string];
  readonly settings: Partial<commands.SlimSettings>;
};
process.stdout.write(JSON.stringify(await commands[command](...args, settings)));
