/**
 * Reads the part of a plan that edits the config, by the readers of the options that say the same. `plan-file.ts` calls it, and adds file
 * and line to its errors.
 */
import { OcislimError } from '../errors.ts';
import type { CommandEdit, ConfigEdit } from '../image/config-edit.ts';
import { configEditOf } from './config-edit.ts';
import {
  parseCommandForm,
  parseGonePorts,
  parseHealthcheck,
  parseImagePath,
  parseNames,
  parsePorts,
  parseShellWords,
  parseSignal,
  parseUser,
  parseVolumes,
} from './config-values.ts';
import type { PlanFile } from './plan-schema.ts';

type ConfigPart = NonNullable<PlanFile['config']>;

/** Returns the edit that a plan asks for. @throws USAGE naming the key */
export function editOfPlan(part: ConfigPart): ConfigEdit {
  const { env = {}, unsetEnv = [], labels = {}, unsetLabels = [] } = part;
  const { expose = [], unexpose = [], volumes = [], unsetVolumes = [] } = part;
  const { user, workdir, stopSignal, healthcheck, shell, author = null } = part;
  return configEditOf({
    env: named(env, 'env'),
    unsetEnv: parseNames(unsetEnv, 'unsetEnv'),
    label: named(labels, 'labels'),
    unsetLabel: parseNames(unsetLabels, 'unsetLabels'),
    entrypoint: commandOf(part.entrypoint, 'entrypoint'),
    cmd: commandOf(part.cmd, 'cmd'),
    user: user === undefined ? null : parseUser(String(user), 'user'),
    workdir: workdir === undefined ? null : parseImagePath(workdir, 'workdir'),
    expose: parsePorts(expose.map(String), 'expose'),
    unexpose: parseGonePorts(unexpose.map(String), 'unexpose'),
    volume: parseVolumes(volumes, 'volumes'),
    unsetVolume: parseVolumes(unsetVolumes, 'unsetVolumes'),
    stopSignal: stopSignal === undefined ? null : parseSignal(String(stopSignal), 'stopSignal'),
    healthcheck: healthcheck === undefined ? null : parseHealthcheck(healthcheck, 'healthcheck'),
    shell: shell === undefined ? null : parseShellWords(JSON.stringify(shell), 'shell'),
    author,
  });
}

/** Checks that keys are names that an option could have set. @throws USAGE naming the key */
function named(entries: Readonly<Record<string, string>>, where: string): Readonly<Record<string, string>> {
  const odd = Object.keys(entries).find((name) => name === '' || name.includes('='));
  if (odd === undefined) return entries;
  throw new OcislimError('USAGE', `${where}: ${JSON.stringify(odd)} is not a name`, {
    advice: 'A name is not empty, and has no "=".',
  });
}

function commandOf(given: string | readonly string[] | undefined, where: string): CommandEdit | null {
  if (given === undefined) return null;
  return parseCommandForm(typeof given === 'string' ? given : JSON.stringify(given), where);
}
