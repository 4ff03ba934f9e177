/** Parts of pages that a program writes between two marks, while the rest of the page is written by hand. */

/** The comments before and after such a part. */
export type Marks = readonly [begin: string, end: string];

/** Returns the text with this content between its marks. @throws Error where it has no marks */
export function withMarked(text: string, content: string, marks: Marks): string {
  const [begin, end] = marks.map((mark) => text.indexOf(mark)) as [number, number];
  if (begin < 0 || end < begin) throw new Error(`there are no marks for the table: ${marks[0]}`);
  return `${text.slice(0, begin + marks[0].length)}\n\n${content}\n\n${text.slice(end)}`;
}
