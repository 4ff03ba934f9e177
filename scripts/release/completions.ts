/** Makes the completion scripts and manual pages, which every form of a release installs. */
import { commands } from '../../src/cli/commands/all.ts';
import { scripts } from '../../src/cli/completion/scripts.ts';
import { vocabularyOf } from '../../src/cli/completion/vocabulary.ts';
import { type ReleaseFile, textFile } from './files.ts';
import { manualPages } from './man/pages.ts';
import { type Foot, renderPage } from './man/roff.ts';

/** Where each shell looks for scripts, below `share`. zsh has a folder of its own for those of Debian's packages. */
export type Places = Readonly<Record<'bash' | 'zsh' | 'fish', string>>;

/** The places of a prefix such as /usr/local. */
export const usualPlaces: Places = {
  bash: 'bash-completion/completions/ocislim',
  zsh: 'zsh/site-functions/_ocislim',
  fish: 'fish/vendor_completions.d/ocislim.fish',
};

/** The places of Debian's packages. */
export const debianPlaces: Places = { ...usualPlaces, zsh: 'zsh/vendor-completions/_ocislim' };

/** Makes the scripts, as `ocislim completion` prints them. */
export async function completionFiles(places: Places): Promise<readonly ReleaseFile[]> {
  const vocabulary = await vocabularyOf(commands);
  return Object.entries(places).map(([shell, path]) => textFile(path, scripts[shell]?.(vocabulary) ?? ''));
}

/** Makes the manual pages, not packed: `man1/ocislim.1` and one for each command. */
export function manualFiles(foot: Foot): readonly ReleaseFile[] {
  return manualPages(commands).map((page) => textFile(`man/man1/${page.name}.1`, renderPage(page, foot)));
}
