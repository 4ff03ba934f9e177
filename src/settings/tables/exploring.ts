/** The options of the command `explore`. */
import { choice } from '../option.ts';
import { reaching } from './commands.ts';
import { platform } from './result.ts';

export const exploreOptions = {
  keymap: choice(['ncdu', 'dive'], {
    default: 'ncdu',
    describe: 'choose the keys: those of ncdu, or those of dive',
    group: 'Result',
  }),
  platform,
  ...reaching,
};
