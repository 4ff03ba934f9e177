import { loaderSettingsProbe } from '../../closure/libraries/loader-settings.ts';
import type { ContentProbe } from '../../rootfs/facts/facts.ts';
import { MiB } from '../../units.ts';

/** Returns how much of the contents of a file the check reads: settings of loaders, and the users. */
export const rebaseProbe: ContentProbe = (path) =>
  path === 'etc/passwd' || path === 'etc/group' ? 4 * MiB : loaderSettingsProbe(path);
