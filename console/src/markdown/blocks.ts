/** What belongs to a list, a quotation or a table, or to something further in: the blank line before it does not end the block. */
const GOES_ON = /^(?:\s|[-+*]\s|\d{1,9}[.)]\s|[>|])/;
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;

/**
 * A Markdown text in blocks that can be read one by one: while it is being said, all but the last stay as they are. What refers
 * from one block to another, such as a link whose address stands at the end of the text, is not found.
 */
export function blocksOf(text: string): string[] {
  const blocks: string[] = [];
  let lines: string[] = [];
  let fence: string | undefined;
  for (const line of text.split('\n')) {
    const isAfterBlank = lines.at(-1)?.trim() === '';
    if (fence === undefined && isAfterBlank && line.trim() !== '' && !GOES_ON.test(line)) {
      blocks.push(lines.join('\n'));
      lines = [];
    }
    lines.push(line);
    fence = fenceAfter(line, fence);
  }
  return [...blocks, lines.join('\n')];
}

/** @returns the fence of the code that is open behind a line */
function fenceAfter(line: string, open: string | undefined): string | undefined {
  const [, fence, rest] = FENCE.exec(line) ?? [];
  if (fence === undefined) return open;
  if (open === undefined) return fence;
  return fence.startsWith(open) && rest!.trim() === '' ? undefined : open;
}
