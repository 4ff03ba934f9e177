/** The options that edit the config of the result, in the words of Dockerfiles. Commands that rewrite or build images have them. */
import type { CommandEdit, HealthcheckEdit } from '../../image/config-edit.ts';
import { list, type Option, parsedBy, parsePairs, text } from '../option.ts';

const group = 'Config';
const values = async () => import('../config-values.ts');

/** Makes a repeatable option whose reader is loaded where something is given. */
function names(
  load: () => Promise<(texts: readonly string[], where: string) => readonly string[]>,
  spec: Parameters<typeof list>[1],
): Option<readonly string[]> {
  return list(async (texts, where) => (texts.length === 0 ? [] : (await load())(texts, where)), spec);
}

export const configuring = {
  env: list(parsePairs, {
    value: 'K=V',
    describe: 'set an environment variable of the image (repeatable)',
    details: 'The value is taken as it is: `$PATH` in it is not replaced.',
    group,
  }),
  unsetEnv: names(async () => (await values()).parseNames, {
    value: 'NAME',
    describe: 'remove an environment variable of the image (repeatable)',
    group,
  }),
  entrypoint: parsedBy<CommandEdit>(async () => (await values()).parseCommandForm, {
    value: 'COMMAND',
    describe: "set the entrypoint, as JSON or for the shell; '' removes it",
    details:
      'As in Dockerfiles: `\'["/app","--port","80"]\'` is run as it is, `\'exec /app --port 80\'` by the shell of the image. The command of the image, which was meant for another entrypoint, is removed unless `--cmd` sets one.',
    group,
  }),
  cmd: parsedBy<CommandEdit>(async () => (await values()).parseCommandForm, {
    value: 'COMMAND',
    describe: "set the command, as JSON or for the shell; '' removes it",
    group,
  }),
  user: parsedBy<string>(async () => (await values()).parseUser, {
    value: 'USER[:GROUP]',
    describe: "set the user of the image; '' removes it",
    group,
  }),
  workdir: parsedBy<string>(async () => (await values()).parseImagePath, {
    value: 'DIR',
    describe: "set the working directory of the image; '' removes it",
    group,
  }),
  expose: names(async () => (await values()).parsePorts, {
    value: 'PORT[/PROTO]',
    describe: 'expose a port or a range of ports (repeatable)',
    group,
  }),
  unexpose: names(async () => (await values()).parseGonePorts, {
    value: 'PORT[/PROTO]',
    describe: 'expose a port or a range of ports no longer (repeatable)',
    group,
  }),
  volume: names(async () => (await values()).parseVolumes, {
    value: 'DIR',
    describe: 'declare a volume of the image (repeatable)',
    group,
  }),
  unsetVolume: names(async () => (await values()).parseVolumes, {
    value: 'DIR',
    describe: 'remove a volume of the image (repeatable)',
    group,
  }),
  unsetLabel: names(async () => (await values()).parseNames, {
    value: 'KEY',
    describe: 'remove a label of the image config (repeatable)',
    group,
  }),
  stopSignal: parsedBy<string>(async () => (await values()).parseSignal, {
    value: 'SIGNAL',
    describe: "set the signal that ends the program; '' removes it",
    group,
  }),
  healthcheck: parsedBy<HealthcheckEdit>(async () => (await values()).parseHealthcheck, {
    value: 'CHECK',
    describe: "set the health check: NONE, or [OPTIONS] CMD COMMAND; '' removes it",
    details:
      "As in Dockerfiles: `--healthcheck='--interval=30s --retries=3 CMD curl -f http://localhost/'`. The command has the JSON or the shell form.",
    group,
  }),
  shell: parsedBy<readonly string[]>(async () => (await values()).parseShellWords, {
    value: 'JSON',
    describe: "set the shell of shell forms, as JSON; '' removes it",
    details: 'It counts for the other options of the same command too.',
    group,
  }),
  author: text({ value: 'NAME', describe: "set the author of the image; '' removes it", group }),
};
