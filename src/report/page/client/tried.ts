/** Makes the chapter about a recording: what was asked, and whether the pruned image does what the original does. */
import type { PageTried } from '../page.ts';
import { dataTable, type DrawnChapter } from './data-table.ts';
import { chapter, el } from './dom.ts';

const marks = { same: '\u2713', different: '\u2717', untried: '\u2013' } as const;

/** Makes the chapter; null for an image that was not recorded. */
export function triedChapter(tried: PageTried | null): DrawnChapter | null {
  if (tried === null) return null;
  const { result, verdict, facts } = tried;
  const tables = tried.tables.map((table) => ({ table, drawn: dataTable(table) }));
  return {
    element: chapter(
      'tried',
      'Recorded and tried',
      el(
        'p',
        { class: `verdict ${result}` },
        el('span', { class: 'mark', 'aria-hidden': 'true' }, marks[result]),
        verdict,
      ),
      facts.length > 0 &&
        el(
          'dl',
          { class: 'facts' },
          facts.map(([label, text]) => el('div', {}, el('dt', {}, label), el('dd', {}, text))),
        ),
      tables.map(({ table, drawn }) => [el('h3', {}, table.title), drawn.parts]),
    ),
    draw: (forPrint) => {
      for (const { drawn } of tables) drawn.draw(forPrint);
    },
  };
}
