/** Makes the edit of a config out of settings. Commands that rewrite or build images call it, and plans through the same settings. */
import type { ConfigEdit } from '../image/config-edit.ts';
import type { SettingsOf } from './option.ts';
import type { configuring } from './tables/configuring.ts';

/** The settings that edit a config. What is absent changes nothing. */
export type ConfigSettings = Partial<SettingsOf<typeof configuring>> & {
  readonly label?: Readonly<Record<string, string>>;
};

/** Returns the edit that settings ask for: that which changes nothing where they ask for nothing. */
export function configEditOf(settings: ConfigSettings): ConfigEdit {
  const { env = {}, unsetEnv = [], label = {}, unsetLabel = [] } = settings;
  const { expose = [], unexpose = [], volume = [], unsetVolume = [] } = settings;
  const { entrypoint = null, cmd = null, shell = null, healthcheck = null } = settings;
  const { user = null, workdir = null, stopSignal = null, author = null } = settings;
  return {
    environment: { set: env, unset: unsetEnv },
    entrypoint,
    command: cmd,
    shell,
    user,
    workingDirectory: workdir,
    ports: { add: expose, remove: unexpose },
    volumes: { add: volume, remove: unsetVolume },
    stopSignal,
    healthcheck,
    labels: { set: label, unset: unsetLabel },
    author,
  };
}
