import { type Case, type Inputs, words } from '../case.ts';
import { corpusLayout } from '../inputs.ts';

/** What is done with every tar; the source is put after the command's name. */
const commands: readonly string[] = [
  'squash oci:out:1 --all --format json',
  'squash oci:out:2 --all --order similar --dedupe-hardlink --compression gzip --level 6',
  'prune oci:out:3 --shadowed --rule after --preset setuid --report prune.json',
  'recompress oci:out:4 --compression zstd --level 3',
  'export rootfs.tar',
];

/** Returns a case for every awkward tar, those that are refused too, below a layer that overwrites a file of many of them. */
export function corpusCases({ folder, corpus }: Inputs): Case[] {
  return corpus.map((name, i): Case => {
    const source = `oci:${corpusLayout(folder, i)}:tar`;
    const steps = commands.map((line) => {
      const [command = '', ...rest] = words(line);
      return { args: [command, source, ...rest] };
    });
    return { name: `corpus: ${name}`, group: 'corpus', steps };
  });
}
