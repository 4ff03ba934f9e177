/**
 * Writes a report as one HTML file: the data, the style and the script that draws them. It needs no other file and sends no request, and
 * its policy lets nothing run but this script. `renderers.ts` and the commands that look into images call it.
 */
import { digestOf } from '../../oci/digest.ts';
import { escapeText, safeJsonText } from '../escape.ts';
import { formatSize } from '../figures.ts';
import type { PageAssets } from './assets.ts';
import type { Figure, Page } from './page.ts';
import type { PackedFiles } from './packed-files.ts';

/** Characters of a piece of the data. */
const pieceLength = 65_536;

/** Writes a page in pieces. `files` are those of each image, in their order. */
export function* writePage(
  page: Page,
  files: readonly (PackedFiles | null)[],
  { script, style }: PageAssets,
): Generator<string> {
  const title = escapeHtml(`${page.command}: ${page.title}`);
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(script, style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<noscript>${withoutScript(page)}</noscript>
<svg width="0" height="0" aria-hidden="true" focusable="false"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch-line" x1="0" y1="0" x2="0" y2="6"/></pattern></defs></svg>
<script type="application/json" id="page-data">`;
  // A "<" in a text could end the element; in JSON its escape means the same.
  yield* pieces(safeJsonText(JSON.stringify(page)).replaceAll('<', '\\u003c'));
  yield '</script>\n';
  for (const [i, packed] of files.entries()) {
    if (packed === null) continue;
    yield `<script type="text/plain" id="files-${i}">`;
    yield* pieces(packed.text);
    yield '</script>\n';
  }
  yield `<script>${script}</script>
</body>
</html>
`;
}

function* pieces(text: string): Generator<string> {
  for (let start = 0; start < text.length; start += pieceLength) yield text.slice(start, start + pieceLength);
}

/** Returns the policy: nothing but the style and the script of these contents, and pictures inside of the page. */
function policy(script: string, style: string): string {
  return [
    "default-src 'none'",
    `style-src '${sourceHash(style)}'`,
    `script-src '${sourceHash(script)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** Returns the hash of an element's text as a policy states it (CSP level 3, section 2.3.1). */
function sourceHash(text: string): string {
  const hex = digestOf(Buffer.from(text, 'utf8')).slice('sha256:'.length);
  return `sha256-${Buffer.from(hex, 'hex').toString('base64')}`;
}

/** Says the headline where no script runs. */
function withoutScript({ command, title, images }: Page): string {
  const lines = images.map(({ name, figures }) =>
    [name, ...figures.filter(({ unit }) => unit === 'bytes').map(figureText)].join('; '),
  );
  const texts = [`${command}: ${title}`, ...lines, 'This report is drawn by a script, which is off.'];
  return texts.map((text) => `<p>${escapeHtml(text)}</p>`).join('');
}

function figureText({ label, before, after }: Figure): string {
  return `${label} ${formatSize(before)}${after === null ? '' : `, now ${formatSize(after)}`}`;
}

function escapeHtml(text: string): string {
  return escapeText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
