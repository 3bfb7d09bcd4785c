import { Lexer, type Token, type Tokens } from 'marked';
import type { Pace } from './pace.js';

/** A heading, a paragraph or an item of a list, without its markup, on one line. */
export interface TextBlock {
  readonly kind: 'heading' | 'paragraph' | 'item';
  readonly text: string;
}

/**
 * Markdown is parsed in pieces of at most this many characters: the time for some hostile texts grows with the square of
 * their length.
 */
const MAX_PIECE_CHARS = 2_000;
const MARKDOWN_SIGNS =
  /^#{1,6} \S|^```|^~~~|^ {0,3}[-*+] \S|^ {0,3}\d{1,3}\. \S|\[[^\]\n]{1,200}\]\([^)\n]{1,500}\)|\*\*\S|^\|.*\|\s*$|^> \S/m;
const HEADING_LINE = /^[^.!?:;,。、！？；：]{1,79}$/;

/** The prose of a text, plain or Markdown: code, tables, pictures and link addresses are no prose. */
export async function readBlocks(text: string, pace: Pace): Promise<TextBlock[]> {
  const clean = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  const isMarkdown = MARKDOWN_SIGNS.test(clean);
  const blocks: TextBlock[] = [];
  await pace.each(isMarkdown ? markdownPieces(clean) : clean.split(/\n[^\S\n]*\n/), (piece) => {
    for (const { kind, text: raw } of isMarkdown ? markdownBlocks(piece) : plainBlocks(piece)) {
      const line = raw.replace(/\s+/g, ' ').trim();
      if (line) blocks.push({ kind, text: line });
    }
  });
  // a single line is a text, not the heading of none
  return blocks.some(({ kind }) => kind !== 'heading')
    ? blocks
    : blocks.map(({ text: line }) => ({ kind: 'paragraph', text: line }));
}

function* plainBlocks(paragraph: string): Iterable<TextBlock> {
  const text = paragraph.trim();
  yield { kind: HEADING_LINE.test(text) && !text.includes('\n') ? 'heading' : 'paragraph', text };
}

/** Splits at blank lines and before list items, leaving out code fences, tables and comments, which only make sense whole. */
function* markdownPieces(text: string): Iterable<string> {
  let piece: string[] = [];
  let fence: string | undefined;
  let chars = 0;
  for (const line of text.replace(/^---\n[\s\S]{0,5000}?\n---\n/, '').split('\n')) {
    const opening = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== undefined) {
      if (opening?.startsWith(fence)) fence = undefined;
      continue;
    }
    fence = opening;
    const isProse = opening === undefined && !/^\s*\|/.test(line) && !/^\s*<!--.*-->\s*$/.test(line);
    const splits = line.trim() === '' || !isProse || /^\s{0,3}([-*+]|\d{1,3}[.)]|#{1,6}) /.test(line);
    if (splits || chars + line.length > MAX_PIECE_CHARS) {
      if (piece.length > 0) yield piece.join('\n');
      piece = [];
      chars = 0;
    }
    if (!isProse) continue;
    piece.push(line);
    chars += line.length + 1;
  }
  if (piece.length > 0) yield piece.join('\n');
}

function* markdownBlocks(piece: string): Iterable<TextBlock> {
  if (piece.length > MAX_PIECE_CHARS) return yield { kind: 'paragraph', text: piece };
  // what was indented under a list item stands alone here, and would read as code
  const source = piece.replace(/^ {4,}/gm, '   ');
  let tokens: Token[];
  try {
    tokens = new Lexer().lex(source);
  } catch {
    // nested too deep
    tokens = [];
  }
  yield* blocksOf(tokens, 'paragraph');
}

function* blocksOf(tokens: readonly Token[], kind: TextBlock['kind']): Iterable<TextBlock> {
  for (const token of tokens) {
    if (token.type === 'heading') yield { kind: 'heading', text: inlineText(token) };
    else if (token.type === 'paragraph' || token.type === 'text') yield { kind, text: inlineText(token) };
    else if (token.type === 'blockquote') yield* blocksOf((token as Tokens.Blockquote).tokens, kind);
    else if (token.type === 'list') {
      for (const item of (token as Tokens.List).items) yield* blocksOf(item.tokens, 'item');
    }
  }
}

/** The words a reader sees; references to a link defined elsewhere lose their brackets. */
function inlineText(token: Token): string {
  return flat(token).replace(/\[([^[\]]{1,200})\](?:\[[^[\]]{0,200}\])?/g, '$1');
}

function flat(token: Token): string {
  if (token.type === 'image' || token.type === 'html') return '';
  if (token.type === 'br') return ' ';
  if ('tokens' in token && token.tokens) return token.tokens.map(flat).join('');
  return 'text' in token ? String(token.text) : '';
}
