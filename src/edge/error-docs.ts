import { ERRORS, type ErrorCode } from '../shared/errors.js';
import { ERROR_HELP } from './error-help.js';

const CODES = Object.keys(ERRORS) as ErrorCode[];

/** All codes by their status, as links to what is said of them. */
function renderIndex(): string {
  const statuses = [...new Set(CODES.map((code) => ERRORS[code].status))].toSorted((a, b) => a - b);
  return statuses
    .map((status) => `- **${status}** ${CODES.filter(hasStatus(status)).map(link).join(' · ')}`)
    .join('\n');
}

function hasStatus(status: number): (code: ErrorCode) => boolean {
  return (code) => ERRORS[code].status === status;
}

function link(code: ErrorCode): string {
  return `[\`${code}\`](#${code})`;
}

const INTRODUCTION = [
  'REST answers an error with a problem (RFC 9457, `application/problem+json`): `type`, `title`, `status`, `detail`, `code`,',
  '`requestId`, and further facts such as `issues`, `retryAfterMs` or `supportCode`. A Socket.IO acknowledgement has',
  '`{ ok: false, error: { code, message, … } }` with the same code and facts; a refused connection has them in the `data` of',
  'its `connect_error`, and a message without an acknowledgement is answered by the event `exception`. The `error` of a run',
  'that failed has them too, with the `supportCode` that its entry in the log carries.',
].join('\n');

const PROMISE = [
  'Codes never change their meaning. “Try again” says whether the same call, unchanged, may succeed later. After an error of a',
  'request nothing has been stored.',
].join('\n');

/** docs/errors.md. */
export function renderErrorDocs(): string {
  const sections = CODES.map((code) => {
    const { when, remedy } = ERROR_HELP[code];
    return `## \`${code}\`\n\n${factsOf(code)}\n\n${when}\n\n**What to do:** ${remedy}`;
  });
  return `${['# Error codes', INTRODUCTION, PROMISE, renderIndex(), ...sections].join('\n\n')}\n`;
}

/** The same as a page of the server: where the `type` of a problem leads to. */
export function renderErrorPage(): string {
  const sections = CODES.map((code) => {
    const { when, remedy } = ERROR_HELP[code];
    const paragraphs = [factsOf(code), when, `**What to do:** ${remedy}`];
    return `<section id="${code}">\n<h2><code>${code}</code></h2>\n${paragraphs.map(paragraph).join('\n')}\n</section>`;
  });
  return [HEAD, ...[INTRODUCTION, PROMISE].map(paragraph), ...sections, '</html>\n'].join('\n');
}

function factsOf(code: ErrorCode): string {
  const { status, title, retryable } = ERRORS[code];
  return `_${title}._ Status ${status}; try again: ${retryable ? 'yes' : 'no'}.`;
}

/** The little Markdown that the texts have, as HTML. */
function paragraph(markdown: string): string {
  const html = markdown
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/`([^`]+)`/g, '<code>$1</code>')
    .replaceAll(/\*\*(.+?)\*\*/g, '<b>$1</b>')
    .replaceAll(/(^|\s)_([^_]+)_(?=\s|$)/g, '$1<i>$2</i>');
  return `<p>${html}</p>`;
}

const HEAD = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Carrel: error codes</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }
  h2 { margin-bottom: 0 } p { margin: .4rem 0 }
  section { padding: .2rem .6rem; border-top: 1px solid #ccc } section:target { background: #ffd }
</style>
<h1>Error codes</h1>`;
