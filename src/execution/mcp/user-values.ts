import type { UserExecutionContext } from '../../context/user-execution-context.js';
import { CarrelError } from '../../shared/errors.js';

const PLACEHOLDER = /\$\{user\.(id|folder|claims\.([^\s{}]+))\}/g;

/** What is sent in a header can have no other characters. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * A user's values in the places that the operator has left for them. A user often chooses parts of them, so what could lead
 * out of its place (another folder, another path of a URL, an option instead of an argument) is refused.
 */
export class UserValues {
  constructor(
    private readonly context: Pick<UserExecutionContext, 'userId' | 'claims'>,
    private readonly folder: string,
  ) {}

  /** @throws CarrelError `mcp_unavailable`, not retryable, naming the placeholder */
  argument(template: string): string {
    const filled = this.path(template);
    const startsWithValue = template.startsWith('${user.') && !template.startsWith('${user.folder}');
    if (startsWithValue && filled.startsWith('-')) throw refused(template, 'must not begin with "-" there');
    return filled;
  }

  /** @throws as `argument` does */
  path(template: string): string {
    const inPath = /[/\\]/.test(template.replaceAll(PLACEHOLDER, ''));
    return this.filled(template, (value, placeholder) => {
      const segments = value.split(/[/\\]/);
      if (inPath && segments.length > 1) throw refused(placeholder, 'must not have a slash there');
      if (segments.includes('..') || (inPath && value === '.')) throw refused(placeholder, 'must not lead elsewhere');
      return value;
    });
  }

  /** @throws as `argument` does */
  url(template: string): URL {
    const text = this.filled(template, (value, placeholder) => {
      if (value === '.' || value === '..') throw refused(placeholder, 'must not lead elsewhere');
      return encodeURIComponent(value);
    });
    const url = URL.parse(text);
    if (!url) throw new CarrelError('mcp_unavailable', 'its URL is none with your values in it', { retryable: false });
    return url;
  }

  /** @throws as `argument` does */
  header(template: string): string {
    return this.filled(template, (value, placeholder) => {
      if (!HEADER_VALUE.test(value)) throw refused(placeholder, 'has characters that a header can not have');
      return value;
    });
  }

  private filled(template: string, check: (value: string, placeholder: string) => string): string {
    return template.replaceAll(PLACEHOLDER, (placeholder: string, name: string, claim?: string) => {
      if (name === 'folder') return this.folder;
      return check(claim === undefined ? this.context.userId : this.claim(claim), placeholder);
    });
  }

  private claim(name: string): string {
    const { claims } = this.context;
    if (Object.hasOwn(claims, name)) return claims[name]!;
    const text = `your token has no claim "${name}" that can be used, and this server needs it`;
    throw new CarrelError('mcp_unavailable', text, { retryable: false });
  }
}

function refused(placeholder: string, why: string): CarrelError {
  return new CarrelError('mcp_unavailable', `your value for ${placeholder} ${why}`, { retryable: false });
}
