import { memo, useMemo, type ReactElement, type ReactNode } from 'react';
import Markdown, { type Components, type Options } from 'react-markdown';
import remarkGfm from 'remark-gfm';

/** What takes longer to read than anybody wants to wait, is shown as it is. */
const MAX_CHARS = 10_000;
const MAX_DEPTH = 30;
/** What opens a quotation or a list, once and again at the beginning of one line. */
const OPENINGS = /^(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=\s)))+/gm;
const PROTOCOLS = ['http:', 'https:', 'mailto:'];

/** One block of Markdown: no HTML, no picture, and links only to where a browser may go. */
export const MarkdownBlock = memo(function MarkdownBlock({ text }: { text: string }) {
  const read = useMemo(() => readMarkdown(text), [text]);
  return read ?? <div className="prose">{text}</div>;
});

/** @returns undefined for what is too long, too deep or too much for the reader */
function readMarkdown(text: string): ReactElement | undefined {
  const isTooDeep = [...text.matchAll(OPENINGS)].some(([opening]) => opening.length > 2 * MAX_DEPTH);
  if (text.length > MAX_CHARS || isTooDeep) return undefined;
  try {
    return Markdown({
      children: text,
      remarkPlugins: [remarkGfm],
      rehypePlugins: [boundAndNameless],
      urlTransform: addressOf,
      components: COMPONENTS,
    });
  } catch {
    return undefined;
  }
}

/** @returns nothing for what is no address of the web or of a mailbox: scripts, data, files, pages of this server */
function addressOf(url: string): string {
  const { protocol, href } = URL.parse(url) ?? {};
  return protocol !== undefined && PROTOCOLS.includes(protocol) ? href! : '';
}

interface Node {
  properties?: Record<string, unknown>;
  children?: Node[];
}

/** Texts give nothing in the page a name, and go no deeper than a page can be drawn. */
const boundAndNameless: NonNullable<Options['rehypePlugins']>[number] = () => (root: Node) => {
  let level = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new Error('too deep');
    for (const { properties } of level) {
      delete properties?.id;
      delete properties?.ariaDescribedBy;
    }
    level = level.flatMap(({ children = [] }) => children);
  }
};

function Elsewhere({ href, children }: { href?: string; children?: ReactNode }) {
  if (!href) return <span>{children}</span>;
  return (
    <a href={href} title={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}

const COMPONENTS: Components = {
  a: ({ href, children }) => <Elsewhere href={href}>{children}</Elsewhere>,
  // to fetch a picture would tell its server that, and when, it was looked at
  img: ({ src, alt }) => <Elsewhere href={src}>🖼 {alt || 'picture'}</Elsewhere>,
  input: ({ checked }) => <span>{checked ? '☑' : '☐'}</span>,
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  table: ({ children }) => (
    <div className="table-box" tabIndex={0} role="group" aria-label="Table">
      <table className="rows">{children}</table>
    </div>
  ),
  // the page has the first two levels
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h4>{children}</h4>,
  h3: ({ children }) => <h5>{children}</h5>,
  h4: ({ children }) => <h6>{children}</h6>,
  h5: ({ children }) => <h6>{children}</h6>,
};
