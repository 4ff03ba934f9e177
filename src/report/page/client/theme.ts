/** The choice between light and dark: as the system has it, until a reader chooses. It is kept for this visit only. */
import { segments } from './dom.ts';

type Theme = 'auto' | 'light' | 'dark';

/** Makes the buttons that choose. */
export function themeChoice(): HTMLElement {
  return segments<Theme>(
    'Colour scheme',
    [
      ['auto', 'Auto'],
      ['light', 'Light'],
      ['dark', 'Dark'],
    ],
    'auto',
    (theme) => {
      if (theme === 'auto') delete document.documentElement.dataset['theme'];
      else document.documentElement.dataset['theme'] = theme;
    },
  );
}
