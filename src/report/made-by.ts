/** A shell that runs the command of a RUN line, with build arguments and options before it. */
const shell = /^(?:RUN )?(?:\|\d+ .*?)?\/bin\/(?:ba|da|a)?sh (?:-[a-z]+ (?:pipefail )?)*?-[a-z]*c /;

/**
 * Reconstructs the Dockerfile line that made a layer. Builders record `/bin/sh -c #(nop) COPY …`, `|1 A=b /bin/sh -c …`, or
 * `RUN /bin/sh -c … # buildkit`, with whole digests of the copied files. The result has at most 1,000 characters and is not escaped.
 */
export function describeMaker(createdBy: string | null): string {
  if (createdBy === null) return '';
  const text = createdBy
    .slice(0, 1000)
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/ # buildkit$/, '');
  const marked = /^\/bin\/(?:ba)?sh -c #\(nop\) ?(.*)$/.exec(text);
  const line = marked === null ? text.replace(shell, 'RUN ') : (marked[1] as string);
  return line.replace(/\b(file|dir|multi):([0-9a-f]{8})[0-9a-f]{24,}/g, '$1:$2…');
}
