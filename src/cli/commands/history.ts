/** The command `history`: the steps that made an image, as `docker history` shows them, without reading a layer. */
import { historyOptions } from '../../settings/tables/looking.ts';
import { type Command, defineCommand, source } from '../command.ts';

/** Columns of an instruction where the terminal does not say: those of docker. */
const usualWidth = 45;

export const history: Command = defineCommand({
  name: 'history',
  describe: 'show the steps that made an image, as docker history does',
  details:
    'Reads the manifest and the config of one image, from any place, and no layer. Shows each step of the history, the newest first: the number of the layer that it made (as --layers of other commands counts them, the lowest is 1), its age, its instruction, the bytes of the layer as they are transferred, and its comment. Steps without a number made no layer. Where the history does not tell of a layer, it has a line of its own all the same. --format takes the templates of docker history.',
  positionals: [source],
  options: historyOptions,
  examples: [
    ['ocislim history localhost:5000/app:1', 'of an image in a registry'],
    ['ocislim history oci:app:1 --no-trunc', 'with whole instructions'],
    ["ocislim history oci:app:1 --format '{{.Layer}} {{.CreatedBy}}'", 'by a template'],
  ],
  async run({ settings, secrets, line, console }) {
    const { history: read } = await import('../../commands/index.ts');
    const { renderDigests, renderHistory, renderHistoryBy, renderHistoryJson } = await import(
      '../../report/look/history-text.ts'
    );
    const { parseTemplate } = await import('../../report/look/template.ts');
    const { checkResult, writeResult } = await import('../result-output.ts');
    const { Screen } = await import('../screen.ts');
    const { format, quiet, human, trunc } = settings;
    const isTemplate = format !== 'text' && format !== 'json';
    if (isTemplate) parseTemplate(format);
    await checkResult(settings);
    using screen = new Screen(settings, console);
    const { env, signal, stdout } = console;
    const surroundings = { env, signal, secrets, listener: screen.listener };
    const { image, history: lines } = await read(line.argument('src') ?? '', settings, surroundings);
    screen.stop();
    const columns = stdout.isTTY === true ? Math.max(usualWidth, (stdout.columns ?? 80) - 60) : usualWidth;
    const style = { width: trunc ? columns : null, human, now: Date.now() };
    const rendered = quiet
      ? renderDigests(lines)
      : isTemplate
        ? renderHistoryBy(format, lines, style)
        : format === 'json'
          ? renderHistoryJson(image, lines)
          : renderHistory(lines, style);
    await writeResult([rendered], settings, console);
    return 0;
  },
});
